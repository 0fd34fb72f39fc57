import { existsSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { run } from "../../src/cli/Run.ts"
import { makeConfig } from "../../src/config/DecodeConfig.ts"
import { openDatabase } from "../../src/history/store/sqlite/Database.ts"
import { temporaryFolder } from "../history/store/Fixture.ts"
import { fakeNode } from "../host/beacon-api/FakeNode.ts"

describe("a second start beside a monitor that runs", () => {
  it.scopedLive("ends before anything of it is seen by the beacon node or by peers", () =>
    Effect.gen(function* () {
      const databasePath = join(yield* temporaryFolder, "dasmon.db")
      yield* openDatabase(databasePath)
      const { asked, url } = yield* fakeNode({ handle: () => false })
      const config = yield* makeConfig({ beaconApi: url, databasePath, httpAddr: "127.0.0.1:0" })
      const error = yield* Effect.flip(run(config))
      assert.include(error.message, "another process is writing to it")
      assert.deepStrictEqual([...asked], [])
      assert.isFalse(existsSync(`${databasePath}.key`))
    })
  )
})
