import { execFile } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Schema } from "effect"
import { makeDevnet } from "../../src/devnet/Devnet.ts"
import { scaledMs } from "../TimeLimits.ts"

const script = fileURLToPath(new URL("./Host.mjs", import.meta.url))

const Report = Schema.parseJson(
  Schema.Struct({ verdicts: Schema.Array(Schema.String), heldUpMs: Schema.Number, left: Schema.Array(Schema.String) })
)

describe("a host of one's own", () => {
  it.scopedLive("gets the events, and nothing is left when it has closed the monitor", () =>
    Effect.gen(function* () {
      const network = yield* makeDevnet({
        peers: ["honest"],
        slotDuration: Duration.millis(500),
        seed: 9,
        transports: "tcp"
      })
      const [peer] = network.peers
      const home = yield* Effect.acquireRelease(
        Effect.sync(() => mkdtempSync(join(tmpdir(), "dasmon-host-"))),
        (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
      )
      const parameters = [script, network.beaconApi, join(home, "host.db"), peer?.multiaddr ?? ""]
      // The process has to end by itself: whatever held it up would be a fiber, socket, worker or timer that is left.
      const output = yield* Effect.async<string, Error>((resume) => {
        execFile(process.execPath, parameters, { timeout: scaledMs("60 seconds") }, (error, stdout, stderr) =>
          resume(error === null ? Effect.succeed(stdout) : Effect.fail(new Error(`${error.message}\n${stderr}`)))
        )
      })
      const { heldUpMs, left, verdicts } = yield* Schema.decode(Report)(output.trim())
      assert.deepStrictEqual(verdicts, ["compliant"])
      assert.deepStrictEqual(
        left.filter((name) => name !== "PipeWrap"),
        []
      )
      assert.isBelow(heldUpMs, scaledMs("3 seconds"))
    })
  )
})
