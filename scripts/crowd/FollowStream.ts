import { request } from "node:http"
import { Effect, type Scope } from "effect"

/** One client that reads the event stream from its beginning to its end. */
export interface Follower {
  /** The sequence numbers up to the newest it has, and how many of them never came. */
  readonly counts: Effect.Effect<{ readonly newest: number; readonly missing: number }>
}

/** `base` is the URL of the API without a slash at its end. What is cut off stays so: a client that keeps up never is. */
export const followStream = (base: string): Effect.Effect<Follower, never, Scope.Scope> =>
  Effect.gen(function* () {
    let newest = 0
    let came = 0
    let rest = ""
    const take = (text: string): void => {
      const lines = `${rest}${text}`.split("\n")
      rest = lines.pop() ?? ""
      for (const line of lines) {
        const sequence = Number(/^id: (\d+)@/.exec(line)?.[1] ?? "0")
        if (sequence === 0) continue
        if (sequence > newest) came++
        newest = Math.max(newest, sequence)
      }
    }
    yield* Effect.acquireRelease(
      Effect.sync(() => {
        const asking = request(`${base}/events?since=0`, { agent: false }, (response) => {
          response.setEncoding("utf8").on("data", take)
          response.on("error", () => undefined)
        })
        asking.on("error", () => undefined)
        return asking.end()
      }),
      (asking) => Effect.sync(() => asking.destroy())
    )
    return { counts: Effect.sync(() => ({ newest, missing: newest - came })) }
  })
