import { execFileSync, spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { scaled } from "../TimeLimits.ts"

/** From where the libraries are found. */
const root = fileURLToPath(new URL("../..", import.meta.url))

/** How a process ends that ends itself with code 3 once it has run `before`. */
const endOf = (before: string) =>
  Effect.async<readonly [code: number | null, signal: string | null]>((resume) => {
    const module = new URL("../../dist/cli/EndProcess.js", import.meta.url).href
    const script = `
      import { open } from "node:fs"
      import { Effect } from "effect"
      import { endProcess } from ${JSON.stringify(module)}
      setInterval(() => {}, 1000)
      ${before}
      setImmediate(() => Effect.runFork(endProcess(3, (code) => process.exit(code))))`
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], { cwd: root, stdio: "ignore" })
    child.once("exit", (code, signal) => resume(Effect.succeed([code, signal])))
    return Effect.sync(() => child.kill("SIGKILL"))
  }).pipe(Effect.timeout(scaled("20 seconds")))

describe("the end of the process", () => {
  it.scopedLive("is what was to be, and comes too while the disk hangs", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* endOf(""), [3, null])
      const folder = yield* Effect.acquireRelease(
        Effect.sync(() => mkdtempSync(join(tmpdir(), "dasmon-end-"))),
        (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
      )
      // To open it waits until someone reads, which nobody does: Node would never exit.
      const fifo = join(folder, "fifo")
      execFileSync("mkfifo", [fifo])
      assert.deepStrictEqual(yield* endOf(`open(${JSON.stringify(fifo)}, "a", () => {})`), [null, "SIGKILL"])
    })
  )
})
