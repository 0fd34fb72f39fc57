import { Schema } from "effect"
import { GossipFault } from "./GossipFault.ts"

/** What a peer pushed to us that was wrong; nothing of it enters a verdict. */
export const GossipFaults = Schema.Struct({
  /** As many as were recorded within the retention. */
  faults: Schema.Int,
  /** The newest first. */
  last: Schema.Array(GossipFault)
})
export type GossipFaults = typeof GossipFaults.Type

export const mostShownFaults = 20
