import { type Duration, Effect, Option } from "effect"
import type { ClaimHistory } from "../domain/peer/ClaimHistory.ts"
import type { SuspectedSlot } from "../domain/peer/Suspicions.ts"
import type { Job } from "../domain/probe/Job.ts"
import { Doubts } from "../runtime/Doubts.ts"
import { Sampler } from "../sampler/Sampler.ts"
import { makeNextConfirmation } from "./NextConfirmation.ts"
import type { OnDemandProbes } from "./OnDemandProbes.ts"
import type { PeerJournal } from "./PeerJournal.ts"

/** What a peer is asked next, and what of it is suspected. */
export interface Chosen {
  readonly job: Job
  readonly confirms: ReadonlyArray<SuspectedSlot>
}

/**
 * What a peer is asked next: what someone waits for, else what is suspected and due, but at most every other time, else
 * what the sampler chooses. Whoever waits is told if there is nothing.
 */
export const makeChooseJob = Effect.fnUntraced(function* (
  journal: PeerJournal,
  onDemand: OnDemandProbes,
  confirmAfter: Duration.Duration
) {
  const doubts = yield* Doubts
  const sampler = yield* Sampler
  const nextConfirmation = yield* makeNextConfirmation(journal, confirmAfter)
  const { peerId } = journal.state().address
  let hasConfirmed = false

  const nothingToAsk = (reason: string) => Effect.as(onDemand.refuse(reason), Option.none<Chosen>())

  const confirmation = (claims: ClaimHistory) =>
    Effect.map(nextConfirmation(claims), (confirms) =>
      Option.map(jobOf(peerId, confirms), (job): Chosen => ({ job, confirms }))
    )

  const sampling = (claims: ClaimHistory) =>
    Effect.map(
      sampler.next(peerId, claims, journal.state().suspicions),
      Option.map((job): Chosen => ({ job, confirms: [] }))
    )

  return Effect.fnUntraced(function* (known: Option.Option<ClaimHistory>) {
    const doubt = yield* doubts.forbids
    if (Option.isSome(doubt)) return yield* nothingToAsk(`nobody is judged at this moment: ${doubt.value}`)
    if (Option.isNone(known)) return yield* nothingToAsk("it has claimed nothing yet")
    const claims = known.value
    const wanted = onDemand.wanted()
    if (Option.isSome(wanted)) {
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
    return Option.isSome(chosen) ? chosen : yield* nothingToAsk("nothing that it owes can be judged at this moment")
  })
})

/** The smallest rectangle around what is suspected. */
const jobOf = (peerId: string, confirms: ReadonlyArray<SuspectedSlot>): Option.Option<Job> => {
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
