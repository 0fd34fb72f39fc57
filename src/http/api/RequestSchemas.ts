import { Schema } from "effect"

/** The bodies of requests. */

export const GivenPeers = Schema.Struct({
  /** ENRs, or multiaddrs that end in `/p2p/<peer id>`. */
  peers: Schema.Array(Schema.String.pipe(Schema.maxLength(2_048))).pipe(Schema.minItems(1), Schema.maxItems(200))
})
