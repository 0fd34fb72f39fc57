import { readFileSync } from "node:fs"
import { Option, Schema } from "effect"
import { LogLine } from "../../src/events/EventLog.ts"

/** The lines of an event log that can be read. */
export const linesOf = function* (log: string): Generator<LogLine> {
  for (const line of readFileSync(log, "utf8").split("\n")) {
    const decoded = Schema.decodeOption(LogLine)(line)
    if (Option.isSome(decoded)) yield decoded.value
  }
}
