import { Clock, Duration, Effect, Layer, Option, Stream } from "effect"
import { CommitmentCache } from "../../src/chain/CommitmentCache.ts"
import { type ChainParameters, slotAt } from "../../src/domain/network/Chain.ts"
import { startClaims } from "../../src/domain/peer/ClaimHistory.ts"
import { noSuspicions } from "../../src/domain/peer/Suspicions.ts"
import * as SqliteHistory from "../../src/history/store/SqliteHistory.ts"
import { Externs } from "../../src/host/Externs.ts"
import { Sampler } from "../../src/sampler/Sampler.ts"
import { quantile } from "./Bench.ts"
import { benchNetwork, claimOf, peerIdOf } from "./HistoryProbes.ts"
import { lateMs, loopDelay } from "./LoopDelay.ts"
import { everySlot, jobOptions } from "./SimulatedPeer.ts"

interface RestartTimes {
  /** Milliseconds until the history is open and the sampler ready. */
  readonly openMs: number
  /** Milliseconds until a peer that was not loaded has its first job. */
  readonly firstJobMedianMs: number
  readonly firstJobMaxMs: number
  readonly eventLoopDelayP99: number
  readonly eventLoopDelayMax: number
}

/** A monitor that starts over a history that is full: how long until it can ask, and whether anything stands still. */
export const restart = (options: { readonly path: string; readonly peers: number }) =>
  Effect.gen(function* () {
    const begin = performance.now()
    const delays = loopDelay()
    delays.enable()
    const now = yield* Clock.currentTimeMillis
    return yield* Effect.gen(function* () {
      const { next } = yield* Sampler
      const openMs = performance.now() - begin
      const taken: Array<number> = []
      for (let peer = 0; peer < options.peers; peer++) {
        const from = performance.now()
        const job = yield* next(peerIdOf(peer), startClaims(claimOf(peer, now)), noSuspicions)
        taken.push(performance.now() - from)
        if (Option.isNone(job)) return yield* Effect.dieMessage("nothing to ask")
      }
      delays.disable()
      const times: RestartTimes = {
        openMs,
        firstJobMedianMs: quantile(taken, 0.5),
        firstJobMaxMs: Math.max(...taken),
        eventLoopDelayP99: lateMs(delays.percentile(99)),
        eventLoopDelayMax: lateMs(delays.max)
      }
      return times
    }).pipe(Effect.provide(layerSampler(options.path, now)))
  })

const chain: ChainParameters = {
  ...benchNetwork,
  forks: [{ name: "fulu", version: Uint8Array.of(6, 0, 0, 0), epoch: 0 }],
  blobSchedule: [],
  maxBlobsPerBlockElectra: 9
}

const layerSampler = (path: string, now: number) =>
  Sampler.layer({
    ...jobOptions,
    historyWindow: Duration.days(18),
    retryAfter: Duration.millis(jobOptions.retryAfterMs),
    blockFilter: () => ({ start: 0, end: Infinity }),
    margins: { headSlots: 8, retentionEpochs: 2 }
  }).pipe(
    Layer.provide([
      SqliteHistory.layer({ path, network: chain }),
      Layer.mock(Externs, { chain, chainEvents: Stream.never }),
      Layer.mock(CommitmentCache, {
        columnSlots: everySlot,
        replacedSince: (seen) => ({ seen, blocks: [] }),
        orphan: () => Option.none(),
        headSlot: Effect.succeed(slotAt(chain, now))
      })
    ])
  )
