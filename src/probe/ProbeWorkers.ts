import { Clock, Context, Deferred, Duration, Effect, Fiber, FiberId, Layer, Metric } from "effect"
import { setNewest } from "../domain/Bounded.ts"
import * as Metrics from "../domain/metrics/Metrics.ts"
import type { PeerId } from "../domain/Primitives.ts"
import { makeTurns } from "../runtime/Turns.ts"
import { type Holder, makeByteBudget } from "./ByteBudget.ts"
import { type Cut, probeTime, ProbeTurn, type Turn } from "./ProbeTurn.ts"

export interface WorkerLimits {
  /** Bytes of answers that all probes together may hold. */
  readonly bytes: number
  /** Of these, what one probe may hold. */
  readonly bytesPerProbe: number
  /** Probes that wait for a slow peer, at once. */
  readonly slowLane: number
  /** What all requests of one probe may take. */
  readonly time: Duration.Duration
}

/** 128 MiB is a few of the largest jobs of today, and dozens of usual ones. */
const defaultLimits = (workers: number): WorkerLimits => ({
  bytes: 128 * 2 ** 20,
  bytesPerProbe: 64 * 2 ** 20,
  slowLane: Math.max(16, 4 * workers),
  time: probeTime
})

/**
 * Bounds how many probes are at work at once over all peers, what their answers hold in memory, and how long each may
 * ask. First come, first served: a peer waits for one probe at a time, so that peers take turns.
 *
 * A probe that waits for its peer for longer than two seconds beyond what came at a fair rate gives its worker to others and
 * goes on in a slow lane, where one of a peer that was slow the last time begins. When that lane is full, or its memory is
 * needed, whoever is in it for the longest is cut.
 */
export class ProbeWorkers extends Context.Tag("dasmon/ProbeWorkers")<
  ProbeWorkers,
  {
    /**
     * Runs the probe of a peer with a `ProbeTurn` of its own. Those of strangers, of whom nothing is known but that they
     * came, run one at a time, and only while nobody else waits: anyone can send any number of them. What is urgent is
     * worthless in a few seconds, and goes before what waits already.
     */
    readonly run: <A, E, R>(
      peerId: PeerId,
      probe: Effect.Effect<A, E, R>,
      isStranger?: boolean,
      isUrgent?: boolean
    ) => Effect.Effect<A, E, R>
    /** From here on no probe begins: who waits, or comes, waits until it is interrupted. */
    readonly close: Effect.Effect<void>
  }
>() {
  static readonly layer = (workers: number, limits: Partial<WorkerLimits> = {}) =>
    Layer.effect(
      ProbeWorkers,
      Effect.as(
        Metric.set(Metrics.workers, workers),
        ProbeWorkers.of(makeWorkers(workers, { ...defaultLimits(workers), ...limits }))
      )
    )
}

/** A probe that has a place. */
interface Running extends Holder {
  /** Whether its place is that of strangers. */
  isLast: boolean
  /** `none`: it asks no more, or was cut. */
  lane: "fast" | "slow" | "none"
  /** Unix milliseconds; since it asks its peer. */
  askingSince: number | undefined
  waitingSince: number | undefined
  waitedMs: number
  bytes: number
  readonly cut: Deferred.Deferred<Cut>
}

const makeWorkers = (workers: number, limits: WorkerLimits): ProbeWorkers["Type"] => {
  const shown = <A, E, R>(wait: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Metric.increment(Metrics.workersWaiting).pipe(
      Effect.zipRight(wait),
      Effect.ensuring(Metric.incrementBy(Metrics.workersWaiting, -1))
    )
  const fast = makeTurns(workers, { waiting: shown })
  const slow = makeTurns(limits.slowLane, { waiting: shown })
  const budget = makeByteBudget(limits.bytes)
  /** Those in the slow lane. */
  const inSlowLane = new Set<Running>()
  /** Those that were cut to make room, and have not given theirs back yet. */
  const leaving = new Set<Running>()
  /** Peers that were slow the last time. */
  const slowPeers = new Map<PeerId, true>()
  const limitMs = Duration.toMillis(limits.time)

  const stop = (running: Running, why: Cut) => Effect.asVoid(Deferred.succeed(running.cut, why))

  /** Tells whoever is in the slow lane for the longest to ask no more; its place is free, or taken by `heir`. */
  const cutLongest = (heir?: Running) =>
    Effect.suspend(() => {
      const longest = longestOf(inSlowLane)
      if (longest === undefined) return Effect.succeed(false)
      inSlowLane.delete(longest)
      leaving.add(longest)
      longest.lane = "none"
      if (heir !== undefined) enterSlowLane(heir, longest.isLast)
      return Effect.as(
        Effect.zipRight(stop(longest, "room"), heir === undefined ? slow.giveBack(longest.isLast) : Effect.void),
        true
      )
    })

  const enterSlowLane = (running: Running, isLast = false): void => {
    running.isLast = isLast
    running.lane = "slow"
    inSlowLane.add(running)
  }

  const demote = (running: Running) =>
    Effect.gen(function* () {
      const wasLast = running.isLast
      if (slow.takeNow()) enterSlowLane(running)
      else if (!(yield* cutLongest(running))) return
      yield* fast.giveBack(wasLast)
      yield* makeRoom
    }).pipe(Effect.uninterruptible)

  /** Whoever waits for memory that slow peers keep gets it from those that kept it for the longest. */
  const makeRoom: Effect.Effect<void> = Effect.suspend(() => {
    const coming = [...leaving].reduce((sum, { held }) => sum + held, 0)
    return budget.lacking() <= coming
      ? Effect.void
      : Effect.flatMap(cutLongest(), (isCut) => (isCut ? makeRoom : Effect.void))
  })

  const watch = (running: Running, since: number) =>
    Effect.gen(function* () {
      while (true) {
        const now = yield* Clock.currentTimeMillis
        const left = since + limitMs - now
        if (left <= 0) return yield* stop(running, "time")
        if (running.lane === "fast" && patienceLeft(running, now) <= 0) yield* demote(running)
        yield* Effect.sleep(running.lane === "fast" ? Math.min(left, Math.max(50, patienceLeft(running, now))) : left)
      }
    })

  const turnOf = (running: Running): Turn => ({
    asking: (bytes, ask) =>
      Effect.gen(function* () {
        const most = Math.min(bytes, limits.bytesPerProbe, limits.bytes)
        // One that is cut while it waits for room finds that out when it asks.
        const room = yield* Effect.raceFirst(
          Effect.as(budget.take(running, most, running.lane === "fast" ? makeRoom : Effect.void), most),
          Effect.as(Deferred.await(running.cut), 0)
        )
        const since = yield* Clock.currentTimeMillis
        running.askingSince = since
        return yield* Effect.acquireUseRelease(
          Effect.fork(Effect.interruptible(watch(running, since))),
          () => ask(room),
          (watching) => Effect.zipRight(Fiber.interrupt(watching), leaveSlowLane(running))
        )
      }),
    waits: (now) => {
      running.waitingSince ??= now
    },
    heard: (now, bytes) => {
      running.waitedMs = waitedMs(running, now)
      running.waitingSince = undefined
      running.bytes += bytes
    },
    cut: Deferred.await(running.cut)
  })

  const leaveSlowLane = (running: Running) =>
    Effect.suspend(() => {
      if (running.lane !== "slow") return Effect.void
      running.lane = "none"
      inSlowLane.delete(running)
      return slow.giveBack(running.isLast)
    })

  const leave = (peerId: PeerId, running: Running) =>
    Effect.gen(function* () {
      if (running.askingSince !== undefined) {
        if (patienceLeft(running, yield* Clock.currentTimeMillis) <= 0)
          setNewest(slowPeers, peerId, true, mostSlowPeers)
        else slowPeers.delete(peerId)
      }
      leaving.delete(running)
      yield* budget.release(running)
      if (running.lane !== "fast") return yield* leaveSlowLane(running)
      // What still watches it gives its worker back no second time.
      running.lane = "none"
      yield* fast.giveBack(running.isLast)
    })

  return {
    close: Effect.zipRight(fast.close, slow.close),
    run: (peerId, probe, isStranger = false, isUrgent = false) =>
      Effect.uninterruptibleMask((restore) =>
        Effect.gen(function* () {
          const lane = slowPeers.has(peerId) ? ("slow" as const) : ("fast" as const)
          yield* (lane === "slow" ? slow : fast).take(restore, { isLast: isStranger, isUrgent })
          const running: Running = {
            isLast: isStranger,
            lane,
            held: 0,
            askingSince: undefined,
            waitingSince: undefined,
            waitedMs: 0,
            bytes: 0,
            cut: Deferred.unsafeMake<Cut>(FiberId.none)
          }
          if (lane === "slow") inSlowLane.add(running)
          return yield* Effect.ensuring(
            restore(Effect.provideService(probe, ProbeTurn, turnOf(running))),
            leave(peerId, running)
          )
        })
      )
  }
}

const waitedMs = ({ waitedMs, waitingSince }: Running, now: number): number =>
  waitedMs + (waitingSince === undefined ? 0 : now - waitingSince)

/** Milliseconds that the peer may still be waited for before it is slow; what comes at a fair rate costs none. */
const patienceLeft = (running: Running, now: number): number =>
  patienceMs + running.bytes / fairBytesPerMs - waitedMs(running, now)

const patienceMs = 2_000
/** 256 KiB a second: four at once then fill a line of 8 Mbit/s. */
const fairBytesPerMs = 262
const mostSlowPeers = 16_384

const byAge = (a: Running, b: Running): number => (a.askingSince ?? Infinity) - (b.askingSince ?? Infinity)

const longestOf = (all: Iterable<Running>): Running | undefined => [...all].sort(byAge)[0]
