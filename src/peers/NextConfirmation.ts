import { Clock, Duration, Effect, Option } from "effect"
import { CommitmentCache } from "../chain/CommitmentCache.ts"
import { rootOf, slotOf } from "../domain/network/Block.ts"
import { slotAt, surelyServedFrom } from "../domain/network/Chain.ts"
import { type ClaimHistory, owes } from "../domain/peer/ClaimHistory.ts"
import { isCountedAt, withQuestion } from "../domain/peer/Evasion.ts"
import {
  dueSuspicions,
  postponed,
  type SuspectedSlot,
  type Suspicions,
  withoutSlots
} from "../domain/peer/Suspicions.ts"
import { History } from "../history/store/History.ts"
import { Externs } from "../host/Externs.ts"
import { type Finality, finalityFor } from "../probe/Finality.ts"
import { SelfDoubt } from "../probe/SelfDoubt.ts"
import type { PeerJournal } from "./PeerJournal.ts"
import { standingOf } from "./Standing.ts"

/**
 * What a peer is to be asked for again, if it is time: what is final to it and to us, or what has waited for that so
 * long that it may as well be delivered before. Nothing is asked again while the monitor suspects itself: what comes of
 * it would not count.
 */
export const makeNextConfirmation = Effect.fnUntraced(function* (
  journal: PeerJournal,
  confirmAfter: Duration.Duration
) {
  const { chain } = yield* Externs
  const commitments = yield* CommitmentCache
  const history = yield* History
  const selfDoubt = yield* SelfDoubt
  const { peerId } = journal.state().address
  const patienceMs = waits * Duration.toMillis(confirmAfter)

  const change = (alter: (suspicions: Suspicions) => Suspicions, escapedAt = Option.none<number>()) =>
    Effect.gen(function* () {
      const before = journal.state()
      const after = yield* journal.enter({
        change: (state) => ({
          ...state,
          suspicions: alter(state.suspicions),
          evasion: Option.match(escapedAt, {
            onNone: () => state.evasion,
            onSome: (at) => withQuestion(state.evasion, true, at, Duration.toMillis(confirmAfter))
          })
        })
      })
      if (after.suspicions !== before.suspicions) yield* history.recordStanding(peerId, standingOf(after))
    })

  /**
   * What nobody has to keep any more, and what the peer does not claim any more. However much of that there is, a claim
   * that moved past it is one escape: an honest peer moves it once.
   */
  const forgetGone = (claims: ClaimHistory, now: number) =>
    Effect.gen(function* () {
      const keptFrom = surelyServedFrom(chain, slotAt(chain, now))
      yield* change((suspicions) => withoutSlots(suspicions, ({ slot }) => slot < keptFrom))
      const isMoved = ({ columns, slot }: SuspectedSlot) => !columns.some(({ column }) => owes(claims, slot, column))
      if (![...journal.state().suspicions.values()].some(isMoved)) return
      yield* change((suspicions) => withoutSlots(suspicions, isMoved), Option.some(now))
    })

  /** Those that can be asked for: what the chain cannot tell of now waits, and another block's suspicion is forgotten. */
  const withBlocks = Effect.fnUntraced(function* (suspected: ReadonlyArray<SuspectedSlot>) {
    const [first, last] = [suspected.at(0), suspected.at(-1)]
    if (first === undefined || last === undefined) return []
    const facts = new Map(
      (yield* commitments.range({ start: first.slot, end: last.slot })).map((fact) => [slotOf(fact), fact] as const)
    )
    const isOther = ({ blockRoot, slot }: SuspectedSlot): boolean => {
      const fact = facts.get(slot)
      return fact !== undefined && rootOf(fact) !== blockRoot
    }
    const gone = new Set(suspected.filter(isOther).map(({ slot }) => slot))
    if (gone.size > 0) yield* change((suspicions) => withoutSlots(suspicions, ({ slot }) => gone.has(slot)))
    return suspected.filter(({ slot }) => facts.has(slot) && !gone.has(slot))
  })

  /**
   * A peer that names no finalized checkpoint of our chain, though it follows the head, cannot be asked conclusively:
   * one escape in each `confirm_after`, for as long as anything is suspected that is final to us.
   */
  const escapes = (finality: Finality, now: number) =>
    Effect.gen(function* () {
      const { agreement, ours } = finality
      if (!isCountedAt(journal.state().evasion, now, Duration.toMillis(confirmAfter))) return
      const isEscape = agreement === "withheld" || (agreement === "other" && (yield* selfDoubt.peersAgree))
      if (!isEscape) return
      const [escaped] = dueSuspicions(journal.state().suspicions, now, ({ slot }) => slot <= ours)
      if (escaped === undefined) return
      yield* change((suspicions) => postponed(suspicions, escaped.slot, now, confirmAfter), Option.some(now))
    })

  return (claims: ClaimHistory) =>
    Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      if (dueSuspicions(journal.state().suspicions, now, () => true).length === 0) return []
      yield* forgetGone(claims, now)
      if (Option.isSome(yield* selfDoubt.reason)) return []
      const finality = yield* finalityFor(chain, commitments, claims.current)
      const isConclusive = ({ slot }: SuspectedSlot) => slot <= finality.upTo
      if (dueSuspicions(journal.state().suspicions, now, isConclusive).length === 0) yield* escapes(finality, now)
      const suspected = dueSuspicions(
        journal.state().suspicions,
        now,
        (one) => isConclusive(one) || now - one.since >= patienceMs
      )
      return yield* withBlocks(suspected)
    })
})

/** How many times as long as it is left alone a suspicion waits for its slot to become final. */
const waits = 6
