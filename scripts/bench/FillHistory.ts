import { Clock, Effect } from "effect"
import { openDatabase } from "../../src/history/Database.ts"
import { HistoryRecord } from "../../src/history/HistoryRecord.ts"
import { makeWriter } from "../../src/history/SqliteWriter.ts"
import { agentOf, benchNetwork, claimOf, combinationsPerProbe, peerIdOf, probeOf } from "./HistoryProbes.ts"

/**
 * Writes a history of `combinations` combinations, spread evenly over the last `days` days and `peers` regular peers,
 * by the writer itself, in batches far larger than those of a monitor. Gives the combinations written.
 */
export const fillHistory = (options: {
  readonly path: string
  readonly combinations: number
  readonly peers: number
  readonly days: number
}) =>
  Effect.gen(function* () {
    const sql = yield* openDatabase(options.path, benchNetwork)
    const { write } = yield* makeWriter(sql)
    // Nobody needs this file if the machine fails now.
    yield* sql.unsafe("PRAGMA synchronous = OFF")
    yield* sql.unsafe("PRAGMA cache_size = -262144")
    const now = yield* Clock.currentTimeMillis
    const start = now - options.days * 86_400_000
    for (let from = 0; from < options.peers; from += 1000) {
      const peers = Array.from({ length: Math.min(1000, options.peers - from) }, (_, index) => from + index)
      yield* write(
        peers.flatMap((peer) => [
          HistoryRecord.Peer({ peerId: peerIdOf(peer), agent: agentOf(peer), address: "/ip4/10.0.0.1", at: start }),
          HistoryRecord.Claim({ peerId: peerIdOf(peer), claim: claimOf(peer, start) })
        ])
      )
    }
    const probes = Math.ceil(options.combinations / combinationsPerProbe)
    for (let from = 0; from < probes; from += batchProbes) {
      yield* write(
        Array.from({ length: Math.min(batchProbes, probes - from) }, (_, index) => {
          const n = from + index
          const nth = Math.floor(n / options.peers)
          return HistoryRecord.Probe({
            probe: probeOf(n % options.peers, nth, start + ((now - start) * n) / probes, now),
            conversation: "answered",
            coverage: { owed: 1_048_576, tested: (nth + 1) * combinationsPerProbe, failed: 0 }
          })
        })
      )
    }
    yield* sql.unsafe("PRAGMA optimize")
    return probes * combinationsPerProbe
  }).pipe(Effect.scoped)

const batchProbes = 1000
