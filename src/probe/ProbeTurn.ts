import { Context, Duration, Effect } from "effect"

/**
 * Why a probe was told to ask no more. `room`: others need its place, or its memory. `time`: it took as long as all requests
 * of one probe may take. What had come by then counts, and the rest is untested.
 */
export type Cut = "room" | "time"

/** What all requests of one probe may take together, whatever they wait for. */
export const probeTime = Duration.minutes(1)

/**
 * How a probe stands among all others, while it runs: `ProbeWorkers` gives it, and whoever asks the peer says through it
 * when the peer is waited for. Alone, without workers, there is room and time for everything.
 */
export class ProbeTurn extends Context.Reference<ProbeTurn>()("dasmon/ProbeTurn", {
  defaultValue: (): Turn => alone
}) {}

export interface Turn {
  /**
   * Everything that the peer is asked. `bytes` is what its answers may come to hold; room for that is waited for, and given
   * back at the end of the turn. `ask` is given how many bytes it may hold, which may be fewer.
   */
  readonly asking: <A, E, R>(
    bytes: number,
    ask: (mostBytes: number) => Effect.Effect<A, E, R>
  ) => Effect.Effect<A, E, R>
  /** The peer is waited for, from this moment on (Unix milliseconds). */
  readonly waits: (now: number) => void
  /** It is not waited for any more: so many bytes came. */
  readonly heard: (now: number, bytes: number) => void
  /** Returns when nothing more may be asked. */
  readonly cut: Effect.Effect<Cut>
}

const alone: Turn = {
  asking: (bytes, ask) => ask(bytes),
  waits: () => {},
  heard: () => {},
  cut: Effect.never
}
