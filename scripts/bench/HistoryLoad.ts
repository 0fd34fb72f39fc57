import { stat } from "node:fs/promises"
import type { SqlError } from "@effect/sql/SqlError"
import { Clock, Duration, Effect, Option, Schema } from "effect"
import type { ParseError } from "effect/ParseResult"
import { History, type HistoryError } from "../../src/history/store/History.ts"
import { openSqlite } from "../../src/history/store/sqlite/Sqlite.ts"
import { layer } from "../../src/history/store/SqliteHistory.ts"
import { lateMs, loopDelay } from "./LoopDelay.ts"
import { agentOf, benchNetwork, claimOf, combinationsPerProbe, peerIdOf, probeOf } from "./HistoryProbes.ts"

export interface HistoryLoad {
  /** Recorded, and on disk at the end. */
  readonly combinations: number
  readonly seconds: number
  /** Milliseconds. */
  readonly eventLoopDelayP50: number
  readonly eventLoopDelayP99: number
  readonly eventLoopDelayMax: number
  /** Of all threads of the process. */
  readonly cpuSeconds: number
  /** Of the whole database, once it is closed. */
  readonly bytesOnDisk: number
  readonly coverageBytesPerCombination: number
}

/**
 * Records probes of 256 combinations (32 slots, 8 columns) at a steady rate into the history at `path`, as a monitor
 * with so many regular peers would, and measures what that costs. Peers and claims are recorded before the clock runs.
 */
export const historyLoad = (options: {
  readonly combinationsPerSecond: number
  readonly seconds: number
  readonly peers: number
  readonly path: string
  /** What is older in the file is deleted meanwhile; 18 days if left out. */
  readonly retention?: Duration.Duration
}): Effect.Effect<HistoryLoad, HistoryError | SqlError | ParseError> =>
  Effect.gen(function* () {
    const { path, retention = Duration.days(18) } = options
    const measured = yield* Effect.provide(drive(options), layer({ path, network: benchNetwork, retention }))
    const { size } = yield* Effect.promise(() => stat(path))
    return { ...measured, bytesOnDisk: size, coverageBytesPerCombination: yield* coverageBytes(path) }
  })

const drive = (options: { readonly combinationsPerSecond: number; readonly seconds: number; readonly peers: number }) =>
  Effect.gen(function* () {
    const history = yield* History
    const startedAt = yield* Clock.currentTimeMillis
    for (let peer = 0; peer < options.peers; peer++) {
      yield* history.recordPeer(peerIdOf(peer), {
        agent: Option.some(agentOf(peer)),
        address: Option.some(addressOf(peer)),
        at: startedAt
      })
      yield* history.recordClaim(peerIdOf(peer), claimOf(peer, startedAt))
    }
    yield* Effect.retry(history.flush, { times: 20 })
    const delays = yield* Effect.acquireRelease(
      Effect.sync(() => loopDelay()),
      (histogram) => Effect.sync(() => histogram.disable())
    )
    const perProbe = (combinationsPerProbe * 1000) / options.combinationsPerSecond
    const probes = Math.floor((options.seconds * 1000) / perProbe)
    const cpu = process.cpuUsage()
    delays.enable()
    const begin = performance.now()
    const newestAt = startedAt + options.seconds * 1000
    for (let n = 0; n < probes; n++) {
      const early = begin + n * perProbe - performance.now()
      if (early > 1) yield* Effect.sleep(early)
      const at = yield* Clock.currentTimeMillis
      const peer = n % options.peers
      const nth = nthFrom + Math.floor(n / options.peers)
      yield* history.recordProbe(probeOf(peer, nth, at, newestAt), "answered", {
        owed: 1_048_576,
        tested: (nth + 1) * combinationsPerProbe,
        failed: 0
      })
    }
    yield* history.flush
    delays.disable()
    const { system, user } = process.cpuUsage(cpu)
    return {
      combinations: probes * combinationsPerProbe,
      seconds: (performance.now() - begin) / 1000,
      eventLoopDelayP50: lateMs(delays.percentile(50)),
      eventLoopDelayP99: lateMs(delays.percentile(99)),
      eventLoopDelayMax: lateMs(delays.max),
      cpuSeconds: (user + system) / 1e6
    }
  }).pipe(Effect.scoped)

/** Bytes of the pages that coverage takes, per combination that was tested. */
export const coverageBytes = (path: string) =>
  Effect.gen(function* () {
    const sql = yield* openSqlite(path, { readonly: true })
    const [{ bytes }] = yield* Effect.flatMap(
      sql.unsafe("SELECT sum(pgsize) AS bytes FROM dbstat WHERE name = 'coverage' AND aggregate = TRUE"),
      Schema.decodeUnknown(Schema.Tuple(Schema.Struct({ bytes: Schema.Number })))
    )
    const [{ tested }] = yield* Effect.flatMap(
      sql.unsafe("SELECT success + missing + invalid + unavailable + malformed AS tested FROM totals"),
      Schema.decodeUnknown(Schema.Tuple(Schema.Struct({ tested: Schema.Number })))
    )
    return bytes / tested
  }).pipe(Effect.scoped)

const addressOf = (peer: number): string => `/ip4/10.${(peer >> 16) & 255}.${(peer >> 8) & 255}.${peer & 255}/tcp/9000`

/** Beyond what `fillHistory` asked of each peer, up to 130 million combinations of 1,000 peers. */
const nthFrom = 512
