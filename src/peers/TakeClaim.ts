import { Effect, Option, Ref } from "effect"
import { slotAt } from "../domain/network/Chain.ts"
import { claimChangeFindings, claimFindings, type ClaimParts, makeClaim, sameClaim } from "../domain/peer/Claim.ts"
import { extendClaims, startClaims } from "../domain/peer/ClaimHistory.ts"
import { addFindings } from "../domain/peer/Finding.ts"
import { EventBus } from "../events/EventBus.ts"
import { History } from "../history/store/History.ts"
import { Externs } from "../host/Externs.ts"
import type { PeerEntry } from "./PeerEntry.ts"
import { withFindings } from "./PeerState.ts"
import type { Voice } from "./Voice.ts"

/** Takes what a peer says of itself: the claim that follows from it is recorded, and told when it is new. */
export const makeHear = Effect.fnUntraced(function* (entry: PeerEntry, voice: Voice) {
  const { chain } = yield* Externs
  const history = yield* History
  const bus = yield* EventBus
  const { peerId } = entry.address

  return Effect.fnUntraced(function* (statement: Omit<ClaimParts, "nodeId">, nodeId: Uint8Array) {
    const parts = { ...statement, nodeId }
    const claim = makeClaim(parts)
    const before = (yield* Ref.get(entry.state)).claims
    const previous = Option.getOrUndefined(before)?.current
    const claims = Option.match(before, {
      onNone: () => startClaims(claim),
      onSome: (known) => extendClaims(known, claim, slotAt(chain, claim.observedAt))
    })
    const isNew = previous === undefined || !sameClaim(previous, claim)
    const findings = [
      ...(isNew ? claimFindings(parts) : []),
      ...(previous === undefined ? [] : claimChangeFindings(previous, claim))
    ]
    yield* voice.update((state) => withFindings({ ...state, claims: Option.some(claims) }, findings))
    if (findings.length > 0) yield* history.recordFindings(peerId, addFindings({}, findings))
    if (!isNew) return
    yield* history.recordClaim(peerId, claim)
    yield* bus.publish({ _tag: "CustodyUpdate", peerId, claim, previous: previous ?? null, findings })
  })
})
