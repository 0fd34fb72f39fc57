import { Clock, Duration, Effect, Option } from "effect"
import { replayClaims } from "../domain/peer/ClaimHistory.ts"
import { failingOf } from "../domain/peer/Failing.ts"
import { suspicionsOf } from "../domain/peer/Suspicions.ts"
import { recentConversations } from "../domain/peer/Verdict.ts"
import { coverageView } from "../domain/probe/Confidence.ts"
import { History } from "../history/store/History.ts"
import { Externs } from "../host/Externs.ts"

/** An effect that reads what the history knows of a peer, as a part of its state. */
export const makeRemember = Effect.fnUntraced(function* (peerId: string, verdictWindow: Duration.Duration) {
  const { chain } = yield* Externs
  const history = yield* History
  return Effect.gen(function* () {
    const { address, standing, ...known } = yield* history.peer(peerId)
    const since = (yield* Clock.currentTimeMillis) - Duration.toMillis(verdictWindow)
    const hasFailed = Option.exists(known.blamedAt, (at) => at >= since)
    const failing = hasFailed ? yield* history.failing(peerId, since) : []
    return {
      ...known,
      remoteAddress: address,
      conversations: recentConversations(known.conversations),
      coverage: Option.map(known.coverage, coverageView),
      claims: replayClaims(chain, yield* history.claims(peerId)),
      suspicions: suspicionsOf(standing.suspicions),
      evasion: standing.evasion,
      restraint: standing.restraint,
      score: standing.score,
      failing: failingOf(failing)
    }
  })
})
