import { Schema } from "effect"
import { PeerId } from "../Primitives.ts"

/** What became of a peer that somebody gave to a running monitor. */
export const GivenPeer = Schema.Struct({
  /** As it was given; the beginning of it, if it is long. */
  peer: Schema.String,
  /** Whether it will be looked for. */
  accepted: Schema.Boolean,
  peerId: Schema.NullOr(PeerId),
  /** Why it was not accepted. */
  reason: Schema.NullOr(Schema.String)
})
export type GivenPeer = typeof GivenPeer.Type
