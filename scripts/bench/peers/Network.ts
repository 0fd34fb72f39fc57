import { Clock, Effect, Schema, type Scope } from "effect"
import { DevnetAnnouncement } from "../../../src/devnet/RunDevnet.ts"
import { firstLineOf } from "../FirstLine.ts"

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
  Effect.flatMap(
    firstLineOf(new URL("./DevnetPart.js", import.meta.url), numbers.map(String), "3 minutes"),
    Schema.decode(Schema.parseJson(DevnetAnnouncement))
  )
