import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { whyNot } from "./Vectors.ts"

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "dasmon-vectors-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

describe("tests over the folder of further vectors", () => {
  it.scoped("run when all that they need is there, and are skipped with what lacks otherwise", () =>
    Effect.gen(function* () {
      const path = yield* folder
      mkdirSync(join(path, "reqresp"))
      writeFileSync(join(path, "reqresp/here.json"), "{}")
      assert.isUndefined(whyNot(["reqresp/here.json"], path))
      assert.isUndefined(whyNot(["reqresp"], path))
      assert.strictEqual(
        whyNot(["reqresp/here.json", "reqresp/there.json", "kzg"], path),
        "DASMON_VECTORS lacks reqresp/there.json, kzg"
      )
      assert.strictEqual(whyNot(["kzg"], join(path, "no such folder")), "DASMON_VECTORS lacks kzg")
      assert.strictEqual(whyNot(["reqresp/here.json"], ""), "needs DASMON_VECTORS")
    })
  )
})
