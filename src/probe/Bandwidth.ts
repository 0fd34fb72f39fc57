import { Clock, Context, Duration, Effect, Layer, Metric, Option } from "effect"
import { makeBucket } from "../domain/Bucket.ts"
import { gaugeWhile } from "../domain/metrics/MetricFamily.ts"
import { bandwidthLimit, bandwidthWaiting } from "../domain/metrics/Metrics.ts"
import type { BandwidthState } from "../domain/Status.ts"

/** A probe that may ask: it has taken bytes, and says by and by how many they really are. */
export interface Turn {
  /** So many bytes are expected, now that it is known what is asked for; before that none were. */
  readonly expect: (bytes: number) => Effect.Effect<void>
  /** So many came, and no more will. */
  readonly came: (bytes: number) => Effect.Effect<void>
}

/**
 * The bytes of columns that all probes together may bring. A probe waits for its turn before it is decided what it asks
 * for, so that no time-out of its peer runs meanwhile and the claim that it asks by is of the moment in which it asks.
 */
export class Bandwidth extends Context.Tag("dasmon/Bandwidth")<
  Bandwidth,
  {
    /**
     * Runs the probe as soon as what others have taken is paid off, first come, first served; none if that is not so
     * within a minute. What the probe takes may be more than there is: those after it wait for that. A turn of which
     * nothing was expected, or that fails before anything came, costs nothing; one that is interrupted costs what was
     * expected.
     */
    readonly inTurn: <A, E, R>(probe: (turn: Turn) => Effect.Effect<A, E, R>) => Effect.Effect<Option.Option<A>, E, R>
    readonly state: Effect.Effect<BandwidthState>
  }
>() {
  /** `limit`: bytes a second, `Infinity` for none. */
  static readonly layer = (limit: number) => Layer.effect(Bandwidth, make(limit))
}

/**
 * A bucket of our own: Effect's `RateLimiter` (3.22) takes no more at once than a whole interval has, and nothing back of
 * what turned out to be less.
 */
const make = Effect.fn("Bandwidth.make")(function* (limit: number) {
  const bucket = makeBucket({ burst: limit * burstSeconds, perSecond: limit })
  /** Held by the first of those that wait. */
  const first = yield* Effect.makeSemaphore(1)
  /** Opened when something was given back. */
  const returned = yield* Effect.makeLatch(false)
  let waiting = 0
  /** Bytes that a probe expects, on an average of the last ones. */
  let usual = firstGuess
  let used = { perSecond: 0, at: 0 }

  const change = (bytes: number) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      bucket.take(bytes, now)
      return bytes < 0 ? returned.open : Effect.void
    })

  const usedAt = (now: number): number => used.perSecond * Math.exp(-Math.max(0, now - used.at) / usedOverMs)

  /** Ends with what a probe takes on an average taken, before anyone else looks. */
  const untilPaidOff = (taken: Taken) =>
    Effect.gen(function* () {
      while (true) {
        const now = yield* Clock.currentTimeMillis
        const ms = bucket.untilMs(1, now)
        if (ms === 0) {
          taken.bytes = usual
          return bucket.take(usual, now)
        }
        yield* returned.close
        yield* Effect.raceFirst(Effect.sleep(ms), returned.await)
      }
    })

  const wait = (taken: Taken) =>
    Effect.acquireUseRelease(
      Effect.sync(() => waiting++),
      () => first.withPermits(1)(untilPaidOff(taken)),
      () => Effect.sync(() => waiting--)
    ).pipe(gaugeWhile(bandwidthWaiting), Effect.timeoutOption(longestWait))

  const set = (taken: Taken, bytes: number) =>
    Effect.suspend(() => {
      const more = bytes - taken.bytes
      taken.bytes = bytes
      taken.isKnown = true
      return change(more)
    })

  const turn = (taken: Taken): Turn => ({
    expect: (bytes) =>
      Effect.suspend(() => {
        usual += (bytes - usual) / 8
        return set(taken, bytes)
      }),
    came: (bytes) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        taken.hasCome = true
        used = { perSecond: usedAt(now) + bytes / (usedOverMs / 1000), at: now }
        return set(taken, bytes)
      })
  })

  /** A peer that is not reached, or refuses, takes nothing from others. */
  const forgo = (taken: Taken) => Effect.unless(set(taken, 0), () => taken.hasCome)

  yield* Metric.set(bandwidthLimit, Number.isFinite(limit) ? limit : 0)
  return Bandwidth.of({
    inTurn: (probe) =>
      Effect.suspend(() => {
        const taken: Taken = { bytes: 0, isKnown: false, hasCome: false }
        const giveBack = Effect.suspend(() => (taken.isKnown ? Effect.void : change(-taken.bytes)))
        return Effect.flatMap(Number.isFinite(limit) ? wait(taken) : Effect.succeedSome(undefined), (come) =>
          Option.isNone(come)
            ? Effect.succeedNone
            : Effect.asSome(Effect.tapError(probe(turn(taken)), () => forgo(taken)))
        ).pipe(Effect.ensuring(giveBack))
      }),
    state: Effect.map(Clock.currentTimeMillis, (now) => ({
      limit: Number.isFinite(limit) ? limit : null,
      bytesPerSecond: Math.round(usedAt(now)),
      waiting
    }))
  })
})

/** What a probe has taken. */
interface Taken {
  bytes: number
  isKnown: boolean
  hasCome: boolean
}

/** Of what a probe takes, before there was any: eight slots of eight columns with six blobs are three times that. */
const firstGuess = 256 * 2 ** 10
/** What is not used is there for so long. */
const burstSeconds = 2
/** Less than anyone waits who waits for a probe. */
const longestWait = Duration.seconds(40)
/** The time over which what came is averaged. */
const usedOverMs = 30_000
