import type { Stream } from "@libp2p/interface"
import { Duration, Effect, type Option } from "effect"
import { type StreamEnd, StreamFailure } from "./StreamEnd.ts"

/** The reading half of a stream. */
export interface StreamReader {
  /**
   * The next bytes; none after the peer's clean end. What came before a reset or a loss is still read. Fails with
   * `silent` after `within`, and then nothing is lost: it may be asked again.
   */
  readonly read: (within: Duration.DurationInput) => Effect.Effect<Option.Option<Uint8Array>, StreamFailure>
  readonly detach: () => void
}

/** Takes what libp2p hands over, and pauses the stream while more is held than a reader has taken. */
export const makeReader = (stream: Stream, end: StreamEnd): StreamReader => {
  const queue: Array<Uint8Array> = []
  let queued = 0
  let paused = false
  let resuming = false
  let wake = nothing

  const pauseIfFull = (): void => {
    if (!paused && queued > highWater) paused = attempt(() => stream.pause())
  }
  const resumeIfLow = (): void => {
    if (!paused || queued > lowWater) return
    paused = false
    resuming = true
    attempt(() => stream.resume())
    resuming = false
    pauseIfFull()
  }
  const onMessage = (event: { readonly data: Uint8Array | Iterable<Uint8Array> }): void => {
    for (const part of event.data instanceof Uint8Array ? [event.data] : event.data) {
      queue.push(part)
      queued += part.length
    }
    // A pause inside `resume` would be undone by libp2p at its end: it is made after that.
    if (resuming) return
    pauseIfFull()
    wake()
  }
  stream.addEventListener("message", onMessage)
  const stopWatching = end.onChange(() => wake())

  /** Whether a read would not wait. libp2p may hold bytes that it is about to hand over: the end comes after them. */
  const readable = (): boolean => {
    resumeIfLow()
    if (queue.length > 0) return true
    if (stream.readBufferLength > 0 && stream.readStatus === "readable") return false
    return end.remoteEnded() || end.isOver()
  }
  const take = Effect.suspend((): Effect.Effect<Option.Option<Uint8Array>, StreamFailure> => {
    if (!readable()) return new StreamFailure({ kind: "silent", detail: "nothing came in time" })
    const next = queue.shift()
    if (next !== undefined) {
      queued -= next.length
      return Effect.succeedSome(next)
    }
    return end.remoteEnded() ? Effect.succeedNone : end.failure()
  })
  /** Only waits and takes nothing, so that it can be interrupted at any moment without losing bytes. */
  const awaitReadable = (within: Duration.DurationInput): Effect.Effect<boolean> =>
    Effect.async<boolean>((resume) => {
      if (readable()) return resume(Effect.succeed(true))
      const timer = setTimeout(() => resume(Effect.succeed(false)), Duration.toMillis(within))
      const stop = (): void => {
        clearTimeout(timer)
        wake = nothing
      }
      wake = () => {
        if (!readable()) return
        stop()
        resume(Effect.succeed(true))
      }
      return Effect.sync(stop)
    })

  return {
    read: (within) =>
      Effect.suspend(() =>
        readable()
          ? take
          : // A timer that is late because we were busy fires before what has come in is looked at: look again.
            Effect.flatMap(awaitReadable(within), (inTime) => (inTime ? take : Effect.zipRight(twoTurns, take)))
      ),
    detach: () => {
      stopWatching()
      stream.removeEventListener("message", onMessage)
    }
  }
}

/** The stream is paused above the first and resumed at the second: bytes handed over and not read. */
const highWater = 256 * 1024
const lowWater = 64 * 1024

const nothing = (): void => {}

/** libp2p throws at streams that are closing or whose connection is gone; the close event tells why. */
const attempt = (step: () => void): boolean => {
  try {
    step()
    return true
  } catch {
    return false
  }
}

/** Two turns of the event loop: enough for sockets to hand over what they hold. */
const twoTurns = Effect.repeatN(
  Effect.async<void>((resume) => {
    const immediate = setImmediate(() => resume(Effect.void))
    return Effect.sync(() => clearImmediate(immediate))
  }),
  1
)
