import { Schema } from "effect"

/** The devnet could not be started, or was asked for something that it cannot do. */
export class DevnetError extends Schema.TaggedError<DevnetError>()("DevnetError", {
  reason: Schema.String
}) {
  override get message(): string {
    return this.reason
  }
}
