import { Schema } from "effect"

/** A text that names no peers; `reason` is for the person who wrote it. */
export class InvalidPeersSpec extends Schema.TaggedError<InvalidPeersSpec>()("InvalidPeersSpec", {
  reason: Schema.String
}) {
  override get message(): string {
    return this.reason
  }
}
