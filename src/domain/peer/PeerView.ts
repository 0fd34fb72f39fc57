import { Schema } from "effect"
import { Claim } from "./Claim.ts"
import { PeerCoverage } from "../probe/Confidence.ts"
import { FindingCounts } from "./Finding.ts"
import { OutcomeCounts } from "../probe/Outcome.ts"
import { Verdict } from "./Verdict.ts"
import { PeerId, Slot } from "../Primitives.ts"
import { Transport } from "./Transport.ts"

/** Everything that is shown of a peer: `/peers`, `/snapshot`, `Dasmon.peers`. */
export const PeerView = Schema.Struct({
  peerId: PeerId,
  /** `0x` and 64 digits; `null` if the peer id does not hold the key. */
  nodeId: Schema.NullOr(Schema.String),
  agent: Schema.NullOr(Schema.String),
  address: Schema.NullOr(Schema.String),
  /** Of the connection that it has, or had last; `null` before the first. */
  transport: Schema.NullOr(Transport),
  connected: Schema.Boolean,
  /** One of `das_providers`: kept connected and asked first, and judged as everyone is. */
  isProvider: Schema.Boolean,
  /** `null` until the first handshake. */
  custody: Schema.NullOr(
    Schema.Struct({
      groupCount: Schema.Int,
      columns: Schema.Array(Schema.Int),
      earliestAvailableSlot: Schema.NullOr(Slot),
      source: Claim.fields.source
    })
  ),
  headSlot: Schema.NullOr(Slot),
  /** The columns whose gossip topics it says it is on, ascending; `null` where it, or the host, has not said. */
  subscribedColumns: Schema.NullOr(Schema.Array(Schema.Int)),
  outcomes: OutcomeCounts,
  findings: FindingCounts,
  verdict: Verdict,
  /** How far it can be relied on, 0 to 1, as of a minute ago at most; 0.5 for one that nothing is known of. No verdict. */
  score: Schema.Number,
  /** Combinations that are suspected, and not settled. */
  suspicions: Schema.Int,
  /** Combinations that it was blamed for in the window of the verdict, and has not delivered since. */
  failing: Schema.Int,
  /** Combinations that it had failed to deliver, and delivered later. */
  recovered: Schema.Int,
  /** As of the last probe; `null` before it. */
  coverage: Schema.NullOr(PeerCoverage),
  /** Unix milliseconds; `null` before the first probe. */
  lastProbeAt: Schema.NullOr(Schema.Number),
  /** Why the verdict is not `compliant`: the last failure, as a sentence. */
  lastFailure: Schema.NullOr(Schema.String)
}).annotations({ identifier: "PeerView" })
export type PeerView = typeof PeerView.Type
