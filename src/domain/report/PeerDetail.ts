import { Schema } from "effect"
import { PeerView } from "../peer/PeerView.ts"
import { GossipFaults } from "../gossip/GossipFaults.ts"
import { SuspectedSlot } from "../peer/Suspicions.ts"
import { Claims, Failures, PeerDays } from "./Question.ts"

/** Everything that is known of one peer; all of it is there for a peer that left long ago too. */
export const PeerDetail = Schema.Struct({
  ...PeerView.fields,
  /** Whether it is watched at this moment; if not, this is what was recorded. */
  tracked: Schema.Boolean,
  /** Unix milliseconds; `null` for a peer that was never spoken to. */
  firstSeen: Schema.NullOr(Schema.Number),
  lastSeen: Schema.NullOr(Schema.Number),
  /** Probes that were recorded, ever. */
  probes: Schema.Int,
  /** What is suspected of it, and not settled. */
  suspected: Schema.Array(SuspectedSlot),
  /** What it claimed last, one entry a change, ascending in time; of a day with very many only some are kept. */
  claims: Claims,
  /** Changes of its claim, ever; those that are not in `claims` are so many more. */
  claimChanges: Schema.Int,
  /** The newest first, with their reasons. */
  failures: Failures,
  /** What it pushed to us by gossip that was wrong: what it spreads, not what it stores. No other number has any of it. */
  gossip: GossipFaults,
  /** Day by day, the last year. */
  days: PeerDays
}).annotations({ identifier: "PeerDetail" })
export type PeerDetail = typeof PeerDetail.Type
