import { spawnSync } from "node:child_process"
import { assert, describe, it } from "@effect/vitest"

const module = new URL("../../dist/cli/SmallHeap.js", import.meta.url)

/** What Node says of a flag that it does not know it says on standard error, and goes on. */
const said = (program: string) => {
  const { status, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8" })
  return { status, stderr }
}

describe("the heap of the program", () => {
  it("is kept small by a flag that this Node knows", () => {
    assert.deepStrictEqual(said(`const { keepHeapSmall } = await import(${JSON.stringify(module)}); keepHeapSmall()`), {
      status: 0,
      stderr: ""
    })
    assert.match(said('(await import("node:v8")).setFlagsFromString("--no-such-flag=1")').stderr, /unrecognized flag/)
  })
})
