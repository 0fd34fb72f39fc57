import { Effect, Option } from "effect"
import { addFindings, type Finding } from "../domain/peer/Finding.ts"
import { History } from "../history/store/History.ts"
import type { PeerJournal } from "./PeerJournal.ts"
import { withFindings } from "./PeerState.ts"

/** Takes what was found out about a peer beside its probes and claims; it is told with the claim that the peer has. */
export const makeNoteFinding = Effect.fnUntraced(function* (journal: PeerJournal) {
  const history = yield* History
  return (finding: Finding) =>
    Effect.gen(function* () {
      const { peerId } = journal.state().address
      const findings = [finding]
      yield* journal.enter({
        change: (state) => withFindings(state, findings),
        events: ({ claims }) =>
          Option.toArray(claims).map(({ current }) => ({
            _tag: "CustodyUpdate" as const,
            peerId,
            claim: current,
            previous: current,
            findings
          }))
      })
      yield* history.recordFindings(peerId, addFindings({}, findings))
    })
})
