import { Schema } from "effect"

/** What is wrong with the bytes of a request or a response. */
export const WireErrorReason = Schema.Literal(
  /** The length prefix goes on after 10 bytes. */
  "varint_too_long",
  /** The length prefix is no number below 2^53. */
  "varint_overflow",
  /** The announced SSZ length is outside the bounds of the type. */
  "length_out_of_bounds",
  /** The frames do not start with the stream identifier, or it is written wrongly. */
  "bad_stream_identifier",
  /** A frame of a type (0x02 to 0x7f) that must not be skipped. */
  "unskippable_frame",
  /** A data frame too short for its checksum. */
  "frame_too_short",
  /** A data frame of more than 65,536 bytes of data. */
  "frame_too_long",
  /** A frame that inflates beyond the announced SSZ length. */
  "frame_exceeds_length",
  /** A compressed block that cannot be inflated. */
  "bad_block",
  "bad_checksum",
  /** More than 32 + n + n/6 bytes of frames for n bytes of SSZ. */
  "too_many_frame_bytes",
  /** The stream ended inside a message. */
  "early_end",
  /** Bytes after the end of a request or after an error chunk. */
  "trailing_bytes",
  /** More success chunks than the protocol allows. */
  "too_many_chunks",
  /** More bytes, over all chunks, than what was asked for can have. */
  "too_many_bytes",
  /** The bytes are not an encoding of the type. */
  "bad_ssz"
)
export type WireErrorReason = typeof WireErrorReason.Type

/** Bytes that are no ssz_snappy request or response (phase0/p2p-interface.md, "Encoding strategies"). */
export class WireError extends Schema.TaggedError<WireError>()("WireError", {
  reason: WireErrorReason,
  detail: Schema.String
}) {
  override get message(): string {
    return `${this.reason}: ${this.detail}`
  }
}
