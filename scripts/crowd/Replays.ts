import { request } from "node:http"
import { Effect, type Scope } from "effect"

export interface Replays {
  readonly counts: Effect.Effect<{ readonly replays: number; readonly refused: number; readonly mebibytes: number }>
}

/**
 * So many clients of the event stream that read everything from its beginning for half a second, go, and do it again. `base`
 * is the URL of the API without a slash at its end.
 */
export const replays = (base: string, clients: number): Effect.Effect<Replays, never, Scope.Scope> =>
  Effect.gen(function* () {
    let done = 0
    let refused = 0
    let bytes = 0
    const replay = Effect.async<void>((resume) => {
      const end = (): void => resume(Effect.void)
      const asking = request(`${base}/events?since=0`, { agent: false }, (response) => {
        if (response.statusCode !== 200) refused++
        response.on("data", (part: Buffer) => (bytes += part.length))
        response.once("close", end)
        response.once("error", end)
      })
      asking.once("error", end)
      asking.end()
      return Effect.sync(() => asking.destroy())
    }).pipe(Effect.timeoutOption("500 millis"))
    const client = Effect.gen(function* () {
      yield* replay
      done++
      // Who is refused does not come back any sooner.
      yield* Effect.sleep("20 millis")
    })
    yield* Effect.forEach(Array.from({ length: clients }), (_, index) =>
      Effect.forkScoped(Effect.delay(Effect.forever(client), index * 25))
    )
    return {
      counts: Effect.sync(() => ({ replays: done, refused, mebibytes: Math.round(bytes / 2 ** 20) }))
    }
  })
