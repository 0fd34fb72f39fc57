import { Schema } from "effect"
import { PeerId, Root, Slot } from "../Primitives.ts"

/** A column that came, and from whom; `null` where this node held it already. */
const GivenColumn = Schema.Struct({ column: Schema.Int, peerId: Schema.NullOr(PeerId) })

/** What one peer did when it was asked for columns of the block. Each of it is recorded as the outcome of a probe too. */
const AskedPeer = Schema.Struct({
  peerId: PeerId,
  agent: Schema.NullOr(Schema.String),
  /** Columns that it was asked for, and that came and verify; ascending. */
  gave: Schema.Array(Schema.Int),
  /** Columns that it claims, and said, or showed, that it does not have. */
  absent: Schema.Array(Schema.Int),
  /** Columns that it sent, and that are not the block's. */
  wrong: Schema.Array(Schema.Struct({ column: Schema.Int, detail: Schema.String })),
  /** Why the rest of what it was asked for did not come; `null` if there is none, or it was not put into words. */
  failure: Schema.NullOr(Schema.String)
})
export type AskedPeer = typeof AskedPeer.Type

/** Where the columns of a block came from, and what is known of the others. */
export const BlobAccount = Schema.Struct({
  slot: Slot,
  blockRoot: Root,
  /** Blobs in the block. */
  blobs: Schema.Int,
  /** Every column that was seen, ascending. */
  columns: Schema.Array(GivenColumn),
  /** Distinct columns that were seen beyond the 64 that it takes; below 0 where there were too few. */
  margin: Schema.Int,
  /** Columns that connected peers claim and that nobody was asked for, since there was enough; ascending. Nothing is proven of them. */
  notAsked: Schema.Array(Schema.Int),
  /** Columns that were asked for, of one peer at least, and that nobody had; ascending. */
  nobodyHad: Schema.Array(Schema.Int),
  /** Columns that no connected peer claims; ascending. */
  nobodyClaims: Schema.Array(Schema.Int),
  /** Those that were asked, in the order in which they first were. */
  peers: Schema.Array(AskedPeer)
}).annotations({ identifier: "BlobAccount" })
export type BlobAccount = typeof BlobAccount.Type

/** A blob that is proven to be the canonical block's. */
export interface FetchedBlob {
  /** Its place in the block: the row. */
  readonly index: number
  /** 48 bytes. */
  readonly commitment: Uint8Array
  /** 32 bytes. */
  readonly versionedHash: Uint8Array
  /** 131,072 bytes. */
  readonly blob: Uint8Array
}

export interface FetchedBlobs {
  /** Those that were wanted, in the order of the block. */
  readonly blobs: ReadonlyArray<FetchedBlob>
  /** Whether it took a recovery: not all of the columns 0 to 63 were to be had. */
  readonly isRecovered: boolean
  readonly account: BlobAccount
}
