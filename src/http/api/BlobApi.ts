import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as OpenApi from "@effect/platform/OpenApi"
import { Schema } from "effect"
import {
  BlobsNotRecoverable,
  BlobsUndecided,
  EmptySlot,
  NoSuchBlob,
  OutOfRetention,
  TooManyFetches,
  UnknownBlock
} from "../../domain/blobs/BlobErrors.ts"
import { BlobAccount } from "../../domain/blobs/FetchedBlobs.ts"
import { failing } from "./Failing.ts"
import * as Parameters from "./Parameters.ts"

/** One blob, and where its columns came from. Bytes are `0x` and hexadecimal digits. */
export const BlobAnswer = Schema.Struct({
  index: Schema.Int,
  commitment: Schema.String,
  versionedHash: Schema.String,
  /** 131,072 bytes. */
  blob: Schema.String,
  /** Whether it took a recovery: not all of the columns 0 to 63 were to be had. */
  recovered: Schema.Boolean,
  account: BlobAccount
}).annotations({ identifier: "BlobAnswer" })

/** Blobs of blocks, from whoever holds their columns. */
export const Blobs = HttpApiGroup.make("blobs", { topLevel: true })
  .annotate(OpenApi.Description, "Blobs of blocks, from whoever holds their columns.")
  .add(
    HttpApiEndpoint.get("blob", "/slots/:slot/blobs/:index")
      .setPath(
        Schema.Struct({ slot: Parameters.Slot, index: Parameters.integer(0, 4095, "The blob's place in the block.") })
      )
      .addSuccess(BlobAnswer)
      .addError(
        Schema.Union(
          failing(EmptySlot, "EmptySlot"),
          failing(UnknownBlock, "UnknownBlock"),
          failing(NoSuchBlob, "NoSuchBlob"),
          failing(OutOfRetention, "OutOfRetention"),
          failing(BlobsNotRecoverable, "BlobsNotRecoverable"),
          failing(BlobsUndecided, "BlobsUndecided"),
          failing(TooManyFetches, "TooManyFetches")
        )
      )
      .annotate(
        OpenApi.Description,
        "A blob of the canonical block of a slot that nodes must still keep, proven against its commitment: put together from " +
          "columns that are held, or that connected peers bring, who are asked within the budgets of all probes and recorded as " +
          "every probe is. Takes some seconds, a minute at most; four are fetched at a time. What `dasmon blobs` does."
      )
  )
