import { Effect, Option } from "effect"
import { CommitmentCache } from "../chain/CommitmentCache.ts"
import type { Claim } from "../domain/peer/Claim.ts"
import { accountableFrom } from "../domain/peer/ClaimHistory.ts"
import { addFindings, type Finding } from "../domain/peer/Finding.ts"
import type { Slot } from "../domain/Primitives.ts"
import { History } from "../history/store/History.ts"
import { Externs } from "../host/Externs.ts"
import { finalityFor } from "../probe/Finality.ts"
import { SelfDoubt } from "../probe/SelfDoubt.ts"
import type { PeerJournal } from "./PeerJournal.ts"
import { withFindings } from "./PeerState.ts"

/**
 * What a peer's newest claim says beside what it owes: which chain is final to it, and whether it claims anything at all
 * that it could be asked for. One that claims no slot but the newest, and that for hours, is named.
 */
export const makeWatchClaim = Effect.fnUntraced(function* (journal: PeerJournal) {
  const { chain } = yield* Externs
  const commitments = yield* CommitmentCache
  const history = yield* History
  const selfDoubt = yield* SelfDoubt
  const { peerId } = journal.state().address

  return Effect.gen(function* () {
    const claims = Option.getOrUndefined(journal.state().claims)
    if (claims === undefined) return
    const claim = claims.current
    yield* selfDoubt.hearFinality(peerId, yield* finalityFor(chain, commitments, claim))
    const isAtHead = accountableFrom(claims, chain.slotsPerEpoch) > claim.headSlot
    const since = Option.getOrElse(journal.state().atHeadSince, () => claim.headSlot)
    const findings = isAtHead && claim.headSlot - since >= longSlots ? [onlyTheNewest(claim, since)] : []
    yield* journal.enter({
      change: (state) => ({
        ...withFindings(state, findings),
        // It is told once in so many slots.
        atHeadSince: isAtHead ? Option.some(findings.length > 0 ? claim.headSlot : since) : Option.none()
      })
    })
    if (findings.length > 0) yield* history.recordFindings(peerId, addFindings({}, findings))
  })
})

const onlyTheNewest = ({ earliestAvailableSlot, headSlot }: Claim, since: Slot): Finding => ({
  kind: "earliest_slot_at_head",
  detail: `over ${headSlot - since} slots it claimed none but the newest: earliest available slot ${earliestAvailableSlot}, head slot ${headSlot}`
})

/** Eight epochs: longer than any client takes to fill in what it claims after a start. */
const longSlots = 256
