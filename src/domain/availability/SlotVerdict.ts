import { Schema } from "effect"
import { clientFamilies } from "../peer/ClientFamily.ts"
import { Root, Slot } from "../Primitives.ts"

/**
 * Whether the columns of a block can be had by whoever asks the network for them. `undetermined` is our own doing: too few
 * peers were asked, or could be.
 */
export const AvailabilityVerdict = Schema.Literal("available", "unavailable", "undetermined").annotations({
  identifier: "AvailabilityVerdict"
})
export type AvailabilityVerdict = typeof AvailabilityVerdict.Type

const Columns = Schema.Array(Schema.Int)

/** What sampling one block came to. Gossip counts for nothing in it. */
export const SlotVerdict = Schema.Struct({
  slot: Slot,
  blockRoot: Root,
  blobs: Schema.Int,
  verdict: AvailabilityVerdict,
  /** A sentence for a person. */
  reason: Schema.String,
  /** Columns that the verdict goes by, and how many of them it lets fail; both 0 where it is not by samples. */
  samples: Schema.Int,
  allowedFailures: Schema.Int,
  /**
   * Of `available` only: the probability that a block that cannot be rebuilt, of which 63 columns exist, would have passed
   * (drawn without replacement, the stages of the extended sample count gone through counted in).
   */
  passingProbability: Schema.NullOr(Schema.Number),
  /** Columns, each ascending; together all that peers were asked for. */
  present: Columns,
  /** Enough independent peers that owe the column answered without it. */
  absent: Columns,
  /** Neither: no peer to ask, no answer, or too few of them. */
  unanswered: Columns,
  /** Peers that answered. */
  peers: Schema.Int,
  /** Their clients, each once. */
  clients: Schema.Array(Schema.Literal(...clientFamilies)),
  /** Unix milliseconds. */
  startedAt: Schema.Number,
  decidedAt: Schema.Number,
  /** Milliseconds from the start of the slot to the verdict. */
  decidedAfterMs: Schema.Number,
  /** Columns that we held ourselves by then, from gossip or requests; they stand for none that were sampled. */
  held: Schema.Int
}).annotations({ identifier: "SlotVerdict" })
export type SlotVerdict = typeof SlotVerdict.Type

/** What sampling every slot came to since the start: in the status. */
export const AvailabilityState = Schema.Struct({
  /** Whether new blocks are sampled (`sampling.per_slot`). */
  isOn: Schema.Boolean,
  /** Blocks, by their verdicts. */
  available: Schema.Int,
  unavailable: Schema.Int,
  undetermined: Schema.Int,
  /** Slots and blocks that were too old when they were heard of, or too many at once, to be sampled. */
  passedOver: Schema.Int,
  /** The newest verdict; `null` before the first. */
  last: Schema.NullOr(SlotVerdict)
})
export type AvailabilityState = typeof AvailabilityState.Type
