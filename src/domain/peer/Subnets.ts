import { Schema } from "effect"

/** The subnets that a node says it is on, by number, ascending. */
export const Subnets = Schema.Struct({
  /** Attestation subnets, 0 to 63 (phase0/p2p-interface.md, "MetaData"). */
  attnets: Schema.Array(Schema.Int),
  /** Sync committee subnets, 0 to 3 (altair/p2p-interface.md). */
  syncnets: Schema.Array(Schema.Int)
}).annotations({ identifier: "Subnets" })
export type Subnets = typeof Subnets.Type
