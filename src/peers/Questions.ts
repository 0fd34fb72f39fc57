import { Clock, Deferred, Duration, Effect, Option } from "effect"
import type { Probe, WantedPurpose } from "../domain/probe/Job.ts"
import {
  NotConnected,
  NothingToAsk,
  type NotProbed,
  ProbeTookTooLong,
  TooManyWaiting,
  type TooSoon,
  type UnknownPeer
} from "../domain/probe/ProbeNow.ts"
import type { Slot } from "../domain/Primitives.ts"
import type { Brought } from "../probe/AskWanted.ts"

/** Columns of one slot that someone wants of one peer. */
export interface ColumnQuestion {
  readonly slot: Slot
  /** Those that the peer does not claim are left out, and so is what is more than its client lets one ask for at once. */
  readonly columns: ReadonlyArray<number>
  readonly purpose: WantedPurpose
  /** How long the question waits for its turn, 10 s if left out; once it is put, its answer takes a minute at most. */
  readonly within?: Duration.Duration
  /** Whether it goes before the probes that wait for a worker; if left out, one of purpose `availability` does. */
  readonly isUrgent?: boolean
}

/** What a question came to; the probe's job has the columns that were asked for. */
export interface Asked extends Brought {
  readonly probe: Probe
}

/**
 * Questions for one peer that wait until they may be put, first come, first served, those of either purpose in turn:
 * whoever fetches many columns keeps nobody from a single one.
 */
export interface Questions {
  /** The question's answer. Who is interrupted before it is put withdraws it; once it is put, it is recorded all the same. */
  readonly wait: (question: ColumnQuestion) => Effect.Effect<Asked, Exclude<NotProbed, UnknownPeer>>
  readonly isWaitedFor: () => boolean
  /** The next question that waits, as soon as there is one. */
  readonly next: Effect.Effect<OpenQuestion>
}

export interface OpenQuestion extends ColumnQuestion {
  /** Until when it waits; Unix milliseconds. */
  readonly until: number
  /** Returns when it was withdrawn before it was put. */
  readonly withdrawn: Effect.Effect<void>
  /** It is put from here on; false where it was withdrawn. */
  readonly begin: () => boolean
  /** Tells whoever waits for it; only the first time counts. */
  readonly tell: (result: Effect.Effect<Asked, NotConnected | NothingToAsk | TooSoon>) => Effect.Effect<void>
}

/** `untilDown` returns when the connection to the peer is lost. */
export const makeQuestions = (peerId: string, untilDown: Effect.Effect<void>): Questions => {
  const queues: Readonly<Record<WantedPurpose, Set<OpenQuestion>>> = { availability: new Set(), retrieval: new Set() }
  const isAny = Effect.unsafeMakeLatch(false)
  /** Those that wait, in a queue or taken out of it. */
  let waiting = 0
  let last: WantedPurpose = "retrieval"

  const wait: Questions["wait"] = Effect.fnUntraced(function* (question) {
    if (question.columns.length === 0) return yield* new NothingToAsk({ peerId, reason: "no columns are asked for" })
    if (waiting >= mostWaiting) return yield* new TooManyWaiting({ limit: mostWaiting, retryAfterSeconds: 1 })
    const within = question.within ?? usualWait
    const result = yield* Deferred.make<Asked, NotConnected | NothingToAsk | TooSoon>()
    const withdrawn = yield* Deferred.make<void>()
    let stage: "waiting" | "put" | "withdrawn" = "waiting"
    const open: OpenQuestion = {
      ...question,
      until: (yield* Clock.currentTimeMillis) + Duration.toMillis(within),
      withdrawn: Deferred.await(withdrawn),
      begin: () => {
        if (stage === "waiting") stage = "put"
        return stage === "put"
      },
      tell: (answer) => Effect.asVoid(Deferred.complete(result, answer))
    }
    const queue = queues[question.purpose]
    const tookTooLong = (after: Duration.Duration) =>
      new ProbeTookTooLong({ peerId, afterSeconds: Math.ceil(Duration.toSeconds(after)) })
    const tooLong = Effect.sleep(within).pipe(
      Effect.flatMap(() => (stage === "put" ? Effect.sleep(longestAnswer) : tookTooLong(within))),
      Effect.zipRight(tookTooLong(Duration.sum(within, longestAnswer)))
    )
    // One that is put is told of by whoever put it: it goes on to its end when the connection is lost.
    const lost = Effect.flatMap(untilDown, () => (stage === "put" ? Effect.never : new NotConnected({ peerId })))
    return yield* Effect.acquireUseRelease(
      Effect.sync(() => {
        waiting++
        queue.add(open)
        isAny.unsafeOpen()
      }),
      () => Effect.raceFirst(Deferred.await(result), Effect.raceFirst(lost, tooLong)),
      () =>
        Effect.suspend(() => {
          waiting--
          queue.delete(open)
          if (stage === "put") return Effect.void
          stage = "withdrawn"
          return Effect.asVoid(Deferred.succeed(withdrawn, undefined))
        })
    )
  })

  const take = (): Option.Option<OpenQuestion> => {
    const [first, second] = last === "retrieval" ? purposes : purposes.toReversed()
    for (const purpose of [first, second]) {
      if (purpose === undefined) continue
      const [question] = queues[purpose]
      if (question === undefined) continue
      queues[purpose].delete(question)
      last = purpose
      return Option.some(question)
    }
    isAny.unsafeClose()
    return Option.none()
  }

  const next: Effect.Effect<OpenQuestion> = Effect.zipRight(
    isAny.await,
    Effect.suspend(() => Option.match(take(), { onNone: () => next, onSome: Effect.succeed }))
  )

  return { wait, isWaitedFor: () => waiting > 0, next }
}

const purposes = ["availability", "retrieval"] as const
const usualWait = Duration.seconds(10)
/** A probe asks for a minute at most; then what came is verified. */
const longestAnswer = Duration.seconds(90)
/** Questions that wait for one peer. */
const mostWaiting = 32
