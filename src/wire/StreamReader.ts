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
  /** The same for what has come by then, in its pieces, and not so much of it that others wait for whoever reads it. */
  readonly readAll: (
    within: Duration.DurationInput
  ) => Effect.Effect<Option.Option<ReadonlyArray<Uint8Array>>, StreamFailure>
  readonly detach: () => void
}

/** Takes what libp2p hands over, and pauses the stream while more is held than a reader has taken. */
export const makeReader = (stream: Stream, end: StreamEnd): StreamReader => {
  const queue: Array<Uint8Array> = []
  let queued = 0
  let paused = false
  let resuming = false
  let wake = nothing
  let waking: NodeJS.Immediate | undefined

  /** Once all is handed over that came in this turn of the event loop: a socket brings many pieces at once. */
  const wakeSoon = (): void => {
    if (wake === nothing) return
    waking ??= setImmediate(() => {
      waking = undefined
      wake()
    })
  }
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
    wakeSoon()
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
  const take = <A>(from: () => A | undefined): Effect.Effect<Option.Option<A>, StreamFailure> =>
    Effect.suspend(() => {
      if (!readable()) return new StreamFailure({ kind: "silent", detail: "nothing came in time" })
      const next = from()
      if (next !== undefined) return Effect.succeedSome(next)
      return end.remoteEnded() ? Effect.succeedNone : end.failure()
    })
  const piece = (): Uint8Array | undefined => {
    const next = queue.shift()
    queued -= next?.length ?? 0
    return next
  }
  const pieces = (): ReadonlyArray<Uint8Array> | undefined => {
    let bytes = 0
    let count = 0
    while (count < queue.length && bytes < batch) bytes += queue[count++]?.length ?? 0
    queued -= bytes
    return count === 0 ? undefined : queue.splice(0, count)
  }
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

  const takeWithin = <A>(taking: Effect.Effect<Option.Option<A>, StreamFailure>, within: Duration.DurationInput) =>
    Effect.suspend(() =>
      readable()
        ? taking
        : // A timer that is late because we were busy fires before what has come in is looked at: look again.
          Effect.flatMap(awaitReadable(within), (inTime) => (inTime ? taking : Effect.zipRight(twoTurns, taking)))
    )
  const takePiece = take(piece)
  const takePieces = take(pieces)

  return {
    read: (within) => takeWithin(takePiece, within),
    readAll: (within) => takeWithin(takePieces, within),
    detach: () => {
      clearImmediate(waking)
      stopWatching()
      stream.removeEventListener("message", onMessage)
    }
  }
}

/** The stream is paused above the first and resumed at the second: bytes handed over and not read. */
const highWater = 256 * 1024
const lowWater = 64 * 1024
/** Taken at once: what more is held is taken the next time. */
const batch = 256 * 1024

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
