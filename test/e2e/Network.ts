import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect, Schema } from "effect"
import { DevnetAnnouncement } from "../../src/devnet/RunDevnet.ts"
import { start } from "./Program.ts"

/** A folder that goes with the scope. */
export const temporaryFolder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "dasmon-e2e-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true, force: true }))
)

/** A devnet in a process of its own, with these arguments, and what it says of itself when it is up. */
export const startNetwork = (parameters: string) =>
  Effect.gen(function* () {
    const program = yield* start(["devnet", ...parameters.split(" ")])
    const [line = ""] = yield* program.printed(/^\{.*\}$/m, "90 seconds")
    return { program, ...(yield* Schema.decode(Schema.parseJson(DevnetAnnouncement))(line)) }
  })
