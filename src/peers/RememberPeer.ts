import { Effect, Option } from "effect"
import { replayClaims } from "../domain/peer/ClaimHistory.ts"
import { recentConversations } from "../domain/peer/Verdict.ts"
import { coverageView } from "../domain/probe/Confidence.ts"
import { History } from "../history/store/History.ts"
import { Externs } from "../host/Externs.ts"

/** An effect that reads what the history knows of a peer, as a part of its state. */
export const makeRemember = Effect.fnUntraced(function* (peerId: string) {
  const { chain } = yield* Externs
  const history = yield* History
  return Effect.gen(function* () {
    const { address, ...known } = yield* history.peer(peerId)
    return {
      ...known,
      remoteAddress: address,
      conversations: recentConversations(known.conversations),
      coverage: Option.map(known.coverage, coverageView),
      claims: replayClaims(chain, yield* history.claims(peerId))
    }
  })
})
