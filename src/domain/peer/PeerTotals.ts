import { Schema } from "effect"
import type { FindingKind } from "./Finding.ts"
import type { PeerView } from "./PeerView.ts"
import { Verdict } from "./Verdict.ts"

/** Over the peers that are tracked: how many are how. */
export const PeerCounts = Schema.Struct({
  tracked: Schema.Int,
  connected: Schema.Int,
  verdicts: Schema.Record({ key: Verdict, value: Schema.Int }),
  /** Peers that never served the protocols by which columns are asked for: the finding `columns_not_served`. */
  withoutColumns: Schema.Int,
  /** Peers that claim to have nothing but their head: the finding `earliest_slot_at_head`. */
  earliestAtHead: Schema.Int,
  /** Peers by their score, in `scoreBands`. */
  scores: Schema.Array(Schema.Int)
})
export type PeerCounts = typeof PeerCounts.Type

/** Scores in fifths: from the lower end of each band to before the next. */
export const scoreBands = ["0.0", "0.2", "0.4", "0.6", "0.8"] as const

/** What the tracked peers were proven to have of what they owe at this moment, with and without what is suspected. */
export const CustodyTotals = Schema.Struct({
  /** Combinations that were proven one way or the other, each by its newest outcome. */
  tested: Schema.Int,
  /** Of those tested, the ones that are blamed on a peer. */
  failed: Schema.Int,
  /** Combinations that are suspected, and not settled. */
  suspected: Schema.Int,
  /** Delivered of what was tested, between 0 and 1; `null` while nothing was. */
  compliance: Schema.NullOr(Schema.Number),
  /** The same if every suspicion were true: delivered of what was tested or is suspected. */
  complianceWithSuspicions: Schema.NullOr(Schema.Number)
}).annotations({ identifier: "CustodyTotals" })
export type CustodyTotals = typeof CustodyTotals.Type

export const peerCounts = (views: ReadonlyArray<PeerView>): PeerCounts => {
  const verdicts = { compliant: 0, violating: 0, evasive: 0, unresponsive: 0, refusing: 0, unknown: 0 }
  for (const { verdict } of views) verdicts[verdict]++
  const having = (kind: FindingKind): number => views.filter(({ findings }) => (findings[kind] ?? 0) > 0).length
  return {
    tracked: views.length,
    connected: views.filter(({ connected }) => connected).length,
    verdicts,
    withoutColumns: having("columns_not_served"),
    earliestAtHead: having("earliest_slot_at_head"),
    scores: scoreBands.map((_, band) => views.filter(({ score }) => bandOf(score) === band).length)
  }
}

const bandOf = (score: number): number => Math.min(scoreBands.length - 1, Math.floor(score * scoreBands.length))

export const custodyTotals = (views: ReadonlyArray<PeerView>): CustodyTotals => {
  let [tested, failed, suspected] = [0, 0, 0]
  for (const { coverage, suspicions } of views) {
    tested += coverage?.tested ?? 0
    failed += coverage?.failed ?? 0
    suspected += suspicions
  }
  return { tested, failed, suspected, ...compliances(tested - failed, tested, suspected) }
}

/** Both fractions; what is suspected is taken for failed in the second. */
export const compliances = (delivered: number, tested: number, suspected: number) => ({
  compliance: tested === 0 ? null : delivered / tested,
  complianceWithSuspicions: tested + suspected === 0 ? null : delivered / (tested + suspected)
})
