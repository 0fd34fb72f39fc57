import { Clock, Effect, Option } from "effect"
import { claimChangeFindings, sameClaim } from "../domain/peer/Claim.ts"
import { claimFindings, type ClaimParts, makeClaim } from "../domain/peer/ClaimParts.ts"
import { hearClaim } from "../domain/peer/ClaimHistory.ts"
import { addFindings } from "../domain/peer/Finding.ts"
import { History } from "../history/store/History.ts"
import { Externs } from "../host/Externs.ts"
import { makeClaimNews } from "./ClaimNews.ts"
import type { PeerJournal } from "./PeerJournal.ts"
import { withFindings } from "./PeerState.ts"

/** Takes what a peer says of itself: the claim that follows from it is recorded when it is new, and told (`ClaimNews`). */
export const makeTakeClaim = Effect.fnUntraced(function* (journal: PeerJournal) {
  const { chain } = yield* Externs
  const history = yield* History
  const news = makeClaimNews()

  return Effect.fnUntraced(function* (statement: Omit<ClaimParts, "nodeId">, nodeId: Uint8Array) {
    const parts = { ...statement, nodeId }
    const claim = makeClaim(parts)
    const { address, claims: before } = journal.state()
    const { peerId } = address
    const previous = Option.getOrUndefined(before)?.current
    if (previous !== undefined && claim.observedAt < previous.observedAt) return
    const claims = hearClaim(chain, before, claim)
    const isNew = previous === undefined || !sameClaim(previous, claim)
    const findings = [
      ...(isNew ? claimFindings(parts) : []),
      ...(previous === undefined ? [] : claimChangeFindings(previous, claim))
    ]
    const isNews = isNew || findings.length > 0
    const now = yield* Clock.currentTimeMillis
    yield* journal.enter({
      change: (state) => withFindings({ ...state, claims: Option.some(claims) }, findings),
      events: () => {
        const told = news.hear({ claim, previous: previous ?? null, findings }, isNews, now)
        return told === undefined ? [] : [{ _tag: "CustodyUpdate", peerId, ...told }]
      }
    })
    if (findings.length > 0) yield* history.recordFindings(peerId, addFindings({}, findings))
    if (isNew) yield* history.recordClaim(peerId, claim)
  })
})
