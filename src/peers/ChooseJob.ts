import { Clock, type Duration, Effect, Option } from "effect"
import type { ClaimHistory } from "../domain/peer/ClaimHistory.ts"
import { dueSuspicions, type SuspectedSlot } from "../domain/peer/Suspicions.ts"
import type { Job, WantedPurpose } from "../domain/probe/Job.ts"
import { Doubts } from "../runtime/Doubts.ts"
import { Sampler } from "../sampler/Sampler.ts"
import { makeNextConfirmation } from "./NextConfirmation.ts"
import type { Leaving } from "./Leaving.ts"
import type { OnDemandProbes } from "./OnDemandProbes.ts"
import type { PeerJournal } from "./PeerJournal.ts"
import type { RequestBudget } from "./RequestBudget.ts"

/** What a peer is asked next, and what of it is suspected. */
export interface Chosen {
  readonly job: Job
  readonly confirms: ReadonlyArray<SuspectedSlot>
  /** See `ProbeRequest`. */
  readonly wanted?: WantedPurpose
}

/**
 * What a peer is asked next: what someone waits for, else what is suspected and due, but at most every other time, else
 * what the sampler chooses; never more than the peer's budget allows at this moment. Whoever waits is told if there is
 * nothing, and goes on waiting while only the budget is spent. Nothing new is sampled of a peer that is about to go.
 */
export const makeChooseJob = Effect.fnUntraced(function* (
  journal: PeerJournal,
  onDemand: OnDemandProbes,
  confirmAfter: Duration.Duration,
  budget: RequestBudget,
  leaving: Leaving
) {
  const doubts = yield* Doubts
  const sampler = yield* Sampler
  const nextConfirmation = yield* makeNextConfirmation(journal, confirmAfter)
  const { peerId } = journal.state().address
  let hasConfirmed = false

  const nothingToAsk = (reason: string) => Effect.as(onDemand.refuse(reason), Option.none<Chosen>())

  const confirmation = (claims: ClaimHistory) =>
    Effect.zipWith(nextConfirmation(claims), Clock.currentTimeMillis, (due, now) => {
      const confirms = budget.confirming(due, now)
      return Option.map(jobOf(peerId, confirms), (job): Chosen => ({ job, confirms }))
    })

  const sampling = Effect.fnUntraced(function* (claims: ClaimHistory) {
    if (leaving.isWanted() && !onDemand.isWaitedFor()) return Option.none<Chosen>()
    const limits = budget.sampling(yield* Clock.currentTimeMillis, onDemand.isWaitedFor())
    if (Option.isNone(limits)) return Option.none<Chosen>()
    const next = yield* sampler.next(peerId, claims, journal.state().suspicions, limits.value)
    return Option.map(next, (job): Chosen => ({ job, confirms: [] }))
  })

  const isTurn = Effect.map(
    Clock.currentTimeMillis,
    (now) =>
      onDemand.isWaitedFor() ||
      (!leaving.isWanted() && Option.isSome(budget.sampling(now, false))) ||
      dueSuspicions(journal.state().suspicions, now, () => true).length > 0
  )

  const choose = Effect.fnUntraced(function* (known: Option.Option<ClaimHistory>) {
    const doubt = yield* doubts.forbids
    if (Option.isSome(doubt)) return yield* nothingToAsk(`nobody is judged at this moment: ${doubt.value}`)
    if (Option.isNone(known)) return yield* nothingToAsk("it has claimed nothing yet")
    const claims = known.value
    const wanted = onDemand.wanted()
    if (Option.isSome(wanted)) {
      if (!budget.allows(wanted.value, yield* Clock.currentTimeMillis)) {
        yield* onDemand.refuse("what was asked for is more than the peer may be asked at this moment", wanted)
        return Option.none<Chosen>()
      }
      if (yield* sampler.allows(claims, wanted.value)) {
        return Option.some<Chosen>({ job: wanted.value, confirms: [] })
      }
      yield* onDemand.refuse("what was asked for is not owed, or cannot be judged, at this moment", wanted)
      return Option.none<Chosen>()
    }
    const [first, second] = hasConfirmed ? [sampling, confirmation] : [confirmation, sampling]
    const one = yield* first(claims)
    const chosen = Option.isSome(one) ? one : yield* second(claims)
    hasConfirmed = Option.exists(chosen, ({ confirms }) => confirms.length > 0)
    // Its budget comes back by itself: whoever waits is served at a later turn.
    const isSpent = Effect.map(Clock.currentTimeMillis, (now) => budget.untilSamplingMs(now) > 0)
    if (Option.isSome(chosen) || (yield* isSpent)) return chosen
    return yield* nothingToAsk("nothing that it owes can be judged at this moment")
  })
  return { isTurn, choose }
})

/** The smallest rectangle around what is suspected. */
export const jobOf = (peerId: string, confirms: ReadonlyArray<SuspectedSlot>): Option.Option<Job> => {
  const [first, last] = [confirms.at(0), confirms.at(-1)]
  if (first === undefined || last === undefined) return Option.none()
  const columns = new Set(confirms.flatMap(({ columns }) => columns.map(({ column }) => column)))
  return Option.some({
    peerId,
    startSlot: first.slot,
    count: last.slot - first.slot + 1,
    columns: [...columns].sort((a, b) => a - b)
  })
}
