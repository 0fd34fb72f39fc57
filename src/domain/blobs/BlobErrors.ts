import { Schema } from "effect"
import { columnsToReconstruct } from "../network/Chain.ts"
import { Root, Slot } from "../Primitives.ts"
import { BlobAccount } from "./FetchedBlobs.ts"

/** There is no block in the slot. */
export class EmptySlot extends Schema.TaggedError<EmptySlot>()("EmptySlot", { slot: Slot }) {
  override get message(): string {
    return `slot ${this.slot} has no block`
  }
}

/** No block of this root is known, or it is not on the canonical chain. */
export class UnknownBlock extends Schema.TaggedError<UnknownBlock>()("UnknownBlock", {
  blockRoot: Root,
  reason: Schema.String
}) {
  override get message(): string {
    return `block ${this.blockRoot}: ${this.reason}`
  }
}

/** The block has none, or not those that are wanted. */
export class NoSuchBlob extends Schema.TaggedError<NoSuchBlob>()("NoSuchBlob", {
  slot: Slot,
  reason: Schema.String
}) {
  override get message(): string {
    return `slot ${this.slot}: ${this.reason}`
  }
}

/** Nobody has to keep columns of the slot: it is too old, or has not begun. */
export class OutOfRetention extends Schema.TaggedError<OutOfRetention>()("OutOfRetention", {
  slot: Slot,
  /** The slots whose columns are kept. */
  from: Slot,
  to: Slot
}) {
  override get message(): string {
    return `slot ${this.slot} is outside of what nodes keep, slots ${this.from} to ${this.to}`
  }
}

/** Too few columns of the block were to be had. */
export class BlobsNotRecoverable extends Schema.TaggedError<BlobsNotRecoverable>()("BlobsNotRecoverable", {
  present: Schema.Int,
  /** The columns that were not to be had, ascending. */
  missing: Schema.Array(Schema.Int),
  /** Everybody who claims one of them, and could be reached, was asked; false where the time, or the number of peers dialled for it, was over before. */
  isSettled: Schema.Boolean,
  account: BlobAccount
}) {
  override get message(): string {
    const { account, isSettled, missing, present } = this
    return `slot ${account.slot}: ${present} of the ${columnsToReconstruct} columns that it takes were to be had${isSettled ? "" : " from as many peers as could be asked in time"}; not columns ${missing.join(" ")}`
  }
}

/** The chain or the proofs could not be worked out: nothing is said about the blobs. */
export class BlobsUndecided extends Schema.TaggedError<BlobsUndecided>()("BlobsUndecided", {
  fault: Schema.Literal("beacon_node", "kzg"),
  reason: Schema.String
}) {
  override get message(): string {
    return this.fault === "beacon_node" ? `the beacon node does not answer: ${this.reason}` : this.reason
  }
}

/** So many are fetched already. */
export class TooManyFetches extends Schema.TaggedError<TooManyFetches>()("TooManyFetches", {
  limit: Schema.Int,
  retryAfterSeconds: Schema.Int
}) {
  override get message(): string {
    return `${this.limit} blocks are fetched at this moment: try again in ${this.retryAfterSeconds} s`
  }
}

/** Why blobs were not given. */
export type NoBlobs =
  | EmptySlot
  | UnknownBlock
  | NoSuchBlob
  | OutOfRetention
  | BlobsNotRecoverable
  | BlobsUndecided
  | TooManyFetches
