import { Schema } from "effect"
import { Checkpoint } from "../peer/Claim.ts"
import { Slot } from "../Primitives.ts"

/** How a beacon node is doing, as far as it matters to whoever goes by what it says. */
export const beaconNodeConditions = [
  "well",
  /** It does not answer, or with errors that may pass. */
  "unreachable",
  /** What answers is no beacon node's API, or does not give what is needed. */
  "unusable",
  "syncing",
  /** Its execution client has not verified its head. */
  "optimistic",
  "execution_offline",
  /** Its head is well behind that of another node. */
  "behind",
  "other_network",
  /** It is of this network, but says another fork or blob limit of the present than the node that dasmon started with. */
  "other_parameters"
] as const
export const BeaconNodeCondition = Schema.Literal(...beaconNodeConditions)
export type BeaconNodeCondition = typeof BeaconNodeCondition.Type

/** One of the beacon nodes that the chain is asked of. */
export const BeaconNodeState = Schema.Struct({
  /** Its address, without credentials, path and query. */
  name: Schema.String,
  /** `main` for those of `beacon_api`, `backfill` for that of `backfill.beacon_api`. */
  role: Schema.Literal("main", "backfill"),
  /** Whether it is the one that is followed: the first one of `main` that is well, at most one. */
  inUse: Schema.Boolean,
  condition: BeaconNodeCondition,
  /** What is wrong with it, a sentence; `null` when it is well. */
  reason: Schema.NullOr(Schema.String),
  /** Unix milliseconds since when it is in this condition. */
  since: Schema.Number,
  /** The newest that it said of its chain while it could be trusted. */
  headSlot: Schema.NullOr(Slot),
  finalized: Schema.NullOr(Checkpoint)
}).annotations({ identifier: "BeaconNodeState" })
export type BeaconNodeState = typeof BeaconNodeState.Type
