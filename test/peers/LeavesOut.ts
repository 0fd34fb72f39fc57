import { Effect } from "effect"
import type { Outcome } from "../../src/domain/probe/Job.ts"
import type { OutcomeKind } from "../../src/domain/probe/Outcome.ts"
import { History } from "../../src/history/store/History.ts"
import type { ProbeRequest } from "../../src/probe/Prober.ts"
import { claimOf, peer } from "../probe/FakeWorld.ts"
import { ourRoot, saying, type Script } from "./Script.ts"

/** The first column that the peer of the script has. */
export const [column = -1] = claimOf(saying(8)).columns

const outcomeAt = (slot: number, outcome: OutcomeKind): Outcome => ({
  slot,
  column,
  outcome,
  ...(outcome === "suspected" ? { suspicion: "missing" as const } : {}),
  blockRoot: ourRoot,
  blobs: 1
})

/** The first probe leaves these slots out; later ones bring what they ask for. */
export const leavesOut =
  (slots: ReadonlyArray<number>, then: (request: ProbeRequest, slot: number) => OutcomeKind = () => "success") =>
  (script: Script): void => {
    let isFirst = true
    script.result = (request) => {
      const { confirms } = request
      if (confirms.length > 0) {
        return { probe: { outcomes: confirms.map(({ slot }) => outcomeAt(slot, then(request, slot))) } }
      }
      const outcomes = isFirst ? slots.map((slot) => outcomeAt(slot, "suspected")) : [outcomeAt(4, "success")]
      isFirst = false
      return { probe: { outcomes } }
    }
  }

/** The slots that were asked for again, and when. */
export const confirmed = (script: Script) =>
  script.probes.flatMap(({ asked, at }) => asked.confirms.map(({ slot }) => [slot, at] as const))

/** What the history keeps of the peer's suspicions. */
export const standing = Effect.flatMap(History, (history) =>
  Effect.map(history.peer(peer.peerId), (known) => known.standing)
)
