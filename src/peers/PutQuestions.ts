import { Clock, Duration, Effect, Option } from "effect"
import { CommitmentCache } from "../chain/CommitmentCache.ts"
import { type ClaimHistory, owes, withHeadFrom } from "../domain/peer/ClaimHistory.ts"
import { hasColumns } from "../domain/network/Block.ts"
import { NotConnected, NothingToAsk, TooSoon } from "../domain/probe/ProbeNow.ts"
import type { ExternsError } from "../host/Externs.ts"
import { Bandwidth, type Turn } from "../probe/Bandwidth.ts"
import type { ProbeResult } from "../probe/Prober.ts"
import { ProbeWorkers } from "../probe/ProbeWorkers.ts"
import { Doubts } from "../runtime/Doubts.ts"
import type { Chosen } from "./ChooseJob.ts"
import type { PeerJournal } from "./PeerJournal.ts"
import { isStranger } from "./PeerState.ts"
import type { Asked, OpenQuestion, Questions } from "./Questions.ts"
import type { RequestBudget } from "./RequestBudget.ts"
import { notServed } from "./Unsupported.ts"

/** What the session lends to whoever puts questions to its peer. */
export interface Asking {
  readonly journal: PeerJournal
  readonly questions: Questions
  readonly budget: RequestBudget
  /** Whether the peer is still there, and may be asked. */
  readonly mayAsk: () => boolean
  /** Whether the peer is left alone for a while, since it did not answer. */
  readonly isResting: Effect.Effect<boolean>
  /** Returns when nothing is asked of the peer. */
  readonly untilProbed: Effect.Effect<void>
  /** Runs this as the peer's only probe; none while there is another. */
  readonly unlessProbing: <A, E, R>(probe: Effect.Effect<A, E, R>) => Effect.Effect<Option.Option<A>, E, R>
  /** The probe as it is charged and recorded. */
  readonly ask: (claims: ClaimHistory, chosen: Chosen, turn: Turn) => Effect.Effect<ProbeResult, ExternsError>
  /** After each. */
  readonly afterwards: Effect.Effect<void>
}

/**
 * Puts the questions that wait for a peer, one at a time, each as soon as the limits of the peer's client, the workers
 * and the bandwidth of all probes allow; not by the test interval, and beyond the bytes a day that are chosen for what is
 * sampled, though they are charged to them. A peer that did not answer one is left alone for a while.
 */
export const makePutQuestions = Effect.fnUntraced(function* (testInterval: Duration.Duration) {
  const bandwidth = yield* Bandwidth
  const commitments = yield* CommitmentCache
  const doubts = yield* Doubts
  const workers = yield* ProbeWorkers
  const restMs = Math.min(longestRestMs, restIntervals * Duration.toMillis(testInterval))

  return (peerId: string, asking: Asking): Effect.Effect<never> => {
    const { budget, journal, questions } = asking
    let restsUntil = 0

    const nothing = (reason: string) => new NothingToAsk({ peerId, reason })

    /** What of a question the peer may be asked for. */
    const chosenFor = Effect.fnUntraced(function* ({ columns, purpose, slot }: OpenQuestion, now: number) {
      const doubt = yield* doubts.forbids
      if (Option.isSome(doubt)) return yield* nothing(`nobody is asked at this moment: ${doubt.value}`)
      const { claims } = journal.state()
      if (Option.isNone(claims)) return yield* nothing("it has claimed nothing yet")
      const facts = yield* commitments
        .range({ start: slot, end: slot })
        .pipe(Effect.mapError(({ message }) => nothing(message)))
      const [fact] = facts
      if (fact?._tag !== "Block" || !hasColumns(fact.block)) return yield* nothing(`slot ${slot} has no columns`)
      const claimed = withHeadFrom(claims.value, slot)
      const owed = [...new Set(columns)].filter((column) => owes(claimed, slot, column)).sort((a, b) => a - b)
      if (owed.length === 0) return yield* nothing(`it claims none of these columns of slot ${slot}`)
      const job = { peerId, startSlot: slot, count: 1, columns: owed.slice(0, budget.mostWanted(now)) }
      return { claims: claims.value, chosen: { job, confirms: [], wanted: purpose } satisfies Chosen }
    })

    /** Until the question may be put; fails where that comes too late for it. */
    const untilAllowed = (question: OpenQuestion) =>
      Effect.gen(function* () {
        while (true) {
          const now = yield* Clock.currentTimeMillis
          const { chosen } = yield* chosenFor(question, now)
          const rests = (yield* asking.isResting) ? restMs : restsUntil - now
          const waitMs = Math.max(rests, budget.untilWantedMs(chosen.job.columns.length, now))
          if (waitMs <= 0) return
          if (now + waitMs > question.until) {
            return yield* new TooSoon({ peerId, retryAfterSeconds: Math.ceil(waitMs / 1000) })
          }
          yield* Effect.sleep(waitMs)
        }
      })

    /** None where something stood in its way after all: it is tried again. */
    const putNow = (question: OpenQuestion, turn: Turn) =>
      Effect.gen(function* () {
        if (!asking.mayAsk()) return yield* new NotConnected({ peerId })
        const now = yield* Clock.currentTimeMillis
        const { chosen, claims } = yield* chosenFor(question, now)
        if (budget.untilWantedMs(chosen.job.columns.length, now) > 0 || !question.begin()) return Option.none()
        const result = yield* asking.ask(claims, chosen, turn).pipe(Effect.mapError(({ message }) => nothing(message)))
        if (result.conversation !== "answered") restsUntil = (yield* Clock.currentTimeMillis) + restMs
        const refusal = notServed(result)
        if (Option.isSome(refusal)) return yield* nothing(refusal.value.detail)
        const asked = Option.map(result.brought, (brought): Asked => ({ probe: result.probe, ...brought }))
        // Told before anything else may break in: it is recorded by now.
        if (Option.isSome(asked)) yield* question.tell(Effect.succeed(asked.value))
        return asked
      })

    const put = (question: OpenQuestion) =>
      Effect.gen(function* () {
        while (true) {
          yield* untilAllowed(question)
          // A worker does not wait for another probe of the same peer.
          yield* asking.untilProbed
          const turn = yield* workers.run(
            peerId,
            bandwidth.inTurn((turn) => asking.unlessProbing(putNow(question, turn))),
            isStranger(journal.state()),
            question.isUrgent ?? question.purpose === "availability"
          )
          if (Option.isNone(turn)) return yield* nothing("the probes of all peers are at bandwidth_limit")
          const asked = Option.flatten(turn.value)
          if (Option.isSome(asked)) return asked.value
          yield* Effect.yieldNow()
        }
      }).pipe(Effect.ensuring(asking.afterwards))

    return questions.next.pipe(
      Effect.flatMap((question) =>
        put(question).pipe(
          Effect.matchCauseEffect({
            onSuccess: (asked) => question.tell(Effect.succeed(asked)),
            onFailure: (cause) => question.tell(Effect.failCause(cause))
          }),
          Effect.onInterrupt(() => question.tell(new NotConnected({ peerId }))),
          Effect.raceFirst(question.withdrawn)
        )
      ),
      Effect.forever
    )
  }
})

/** Test intervals for which a peer is not asked such a question after one that it did not answer. */
const restIntervals = 2
const longestRestMs = 60_000
