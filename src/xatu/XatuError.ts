import { Schema } from "effect"

/** Shipping to Xatu cannot be started. */
export class XatuError extends Schema.TaggedError<XatuError>()("XatuError", {
  /** What is wrong, with the key of the configuration. */
  reason: Schema.String
}) {
  override get message(): string {
    return `xatu: ${this.reason}`
  }
}
