import { readFileSync } from "node:fs"
import { Schema } from "effect"
import { Event } from "../../src/domain/Event.ts"

const Line = Schema.parseJson(Event)

/** All whole lines of an event log. */
export const eventsOf = (path: string): ReadonlyArray<Event> =>
  readFileSync(path, "utf8")
    .split("\n")
    .slice(0, -1)
    .map((line) => Schema.decodeSync(Line)(line))
