import { spawn } from "node:child_process"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { Clock, Effect, Schema, type Scope } from "effect"
import { DevnetAnnouncement } from "../../../src/devnet/RunDevnet.ts"

/** A devnet in several processes: one does not bear a thousand peers. */
export interface Network {
  readonly beaconApi: string
  readonly peers: DevnetAnnouncement["peers"]
}

/** Starts it; its processes end with the scope. */
export const makeNetwork = (peers: number, perProcess: number): Effect.Effect<Network, unknown, Scope.Scope> =>
  Effect.gen(function* () {
    const genesisTime = Math.floor((yield* Clock.currentTimeMillis) / 1000) - historySeconds
    const firsts = Array.from({ length: Math.ceil(peers / perProcess) }, (_, index) => index * perProcess)
    const parts = yield* Effect.forEach(
      firsts,
      (first) => startPart(genesisTime, first, Math.min(perProcess, peers - first)),
      { concurrency: 2 }
    )
    return { beaconApi: parts[0]?.beaconApi ?? "", peers: parts.flatMap((part) => part.peers) }
  })

/** Eight epochs of mainnet's slots. */
const historySeconds = 8 * 32 * 12

const startPart = (...numbers: readonly [genesisTime: number, first: number, count: number]) =>
  Effect.gen(function* () {
    const script = fileURLToPath(new URL("./DevnetPart.js", import.meta.url))
    const child = yield* Effect.acquireRelease(
      Effect.sync(() =>
        spawn(process.execPath, [script, ...numbers.map(String)], { stdio: ["ignore", "pipe", "inherit"] })
      ),
      (child) => Effect.sync(() => child.kill("SIGKILL"))
    )
    const line = yield* Effect.async<string, string>((resume) => {
      createInterface({ input: child.stdout }).once("line", (line) => resume(Effect.succeed(line)))
      child.once("exit", () => resume(Effect.fail("a part of the devnet ended")))
    }).pipe(Effect.timeout("3 minutes"))
    return yield* Schema.decode(Schema.parseJson(DevnetAnnouncement))(line)
  })
