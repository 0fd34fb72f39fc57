import { Effect, type Scope, Stream } from "effect"
import { Dasmon } from "../Dasmon.ts"
import type { Event } from "../domain/Event.ts"
import { daemon } from "../runtime/Daemon.ts"

/** Has a daemon of this name tell of every event after the number `since`, each once, also when it has to begin anew. */
export const tellEvents = (
  name: string,
  since: number,
  tell: (event: Event) => Effect.Effect<void>
): Effect.Effect<void, never, Dasmon | Scope.Scope> =>
  Effect.gen(function* () {
    const { events } = yield* Dasmon
    let last = since
    const tellAll = Stream.runForEach(
      Stream.suspend(() => events.since(last)),
      (event) => {
        last = event._tag === "Gap" ? event.to : event.sequence
        return event._tag === "Gap" ? Effect.void : tell(event)
      }
    )
    yield* daemon(name, tellAll)
  })

/** The time of day of Unix milliseconds, as a line begins with it. */
export const clock = (unixMs: number): string => new Date(unixMs).toTimeString().slice(0, 8)
