import { Schema } from "effect"

/** A file that is wrong from end to end is cut short here. */
export const mostLines = 20

/** A configuration that cannot be used: one line for each thing that is wrong with it, and nothing was started. */
export class ConfigError extends Schema.TaggedError<ConfigError>()("ConfigError", {
  /** Each `file:line: path: what is wrong and what is allowed`; without file and line if it was built in code. */
  lines: Schema.Array(Schema.String)
}) {
  static of(lines: ReadonlyArray<string>): ConfigError {
    const more = lines.length - mostLines
    return new ConfigError({ lines: more > 0 ? [...lines.slice(0, mostLines), `… and ${more} more mistakes`] : lines })
  }

  override get message(): string {
    return this.lines.join("\n")
  }
}
