import { Schema } from "effect"

/** What others reach us at, and the ENR that says so: `Status.ownRecord`. */
export const OwnRecordView = Schema.Struct({
  /** As text. */
  enr: Schema.String,
  /** Its sequence number, as a decimal: it may be larger than a number is exact. */
  sequence: Schema.String,
  /** Multiaddrs that it holds; that of discv5 is the one of UDP without QUIC. Empty while nobody has told us where we are. */
  advertised: Schema.Array(Schema.String),
  /** Where other nodes see the packets of discv5 come from, and how many do. */
  observed: Schema.Array(Schema.Struct({ address: Schema.String, votes: Schema.Int }))
})
export type OwnRecordView = typeof OwnRecordView.Type
