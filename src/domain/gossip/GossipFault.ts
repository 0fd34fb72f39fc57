import { Schema } from "effect"
import { PeerId, Root, Slot } from "../Primitives.ts"
import { faultRules } from "./GossipRule.ts"

/**
 * A column that a peer pushed to us and that breaks a rule of its topic, whoever looks at it. Says what the peer spreads, and
 * nothing about what it stores: no verdict, no compliance and no count of outcomes knows of it.
 */
export const GossipFault = Schema.Struct({
  peerId: PeerId,
  rule: Schema.Literal(...faultRules),
  /** A sentence. */
  detail: Schema.String,
  topic: Schema.String,
  /** What it says that it is; that of the topic, and `null`, where it does not say so. */
  column: Schema.Int,
  slot: Schema.NullOr(Slot),
  blockRoot: Schema.NullOr(Root),
  /** When it came, Unix milliseconds. */
  at: Schema.Number
})
export type GossipFault = typeof GossipFault.Type
