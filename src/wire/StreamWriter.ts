import type { Stream } from "@libp2p/interface"
import { Duration, Effect } from "effect"
import { type StreamEnd, StreamFailure } from "./StreamEnd.ts"

/** The writing half of a stream. */
export interface StreamWriter {
  /** Waits until the transport can take more, at most `writeTimeout` for each 256 KiB. */
  readonly write: (bytes: Uint8Array) => Effect.Effect<void, StreamFailure>
  /** Half-closes, once what was written is with the transport; at most `writeTimeout`. */
  readonly closeWrite: Effect.Effect<void, StreamFailure>
}

export const makeWriter = (stream: Stream, end: StreamEnd, writeTimeout: Duration.DurationInput): StreamWriter => {
  const inTime = Effect.timeoutFail<StreamFailure>({
    duration: writeTimeout,
    onTimeout: () =>
      new StreamFailure({ kind: "stalled", detail: `nothing was taken for ${Duration.toMillis(writeTimeout)} ms` })
  })
  const drained = Effect.async<void, StreamFailure>((resume) => {
    // libp2p sends what it holds in a microtask of the same event: look after that.
    const onDrain = (): void =>
      queueMicrotask(() => {
        if (stream.writeBufferLength <= pieceSize) resume(Effect.void)
      })
    stream.addEventListener("drain", onDrain)
    const stopWatching = end.onChange(() => {
      if (end.isOver()) resume(end.failure())
    })
    return Effect.sync(() => {
      stopWatching()
      stream.removeEventListener("drain", onDrain)
    })
  })
  const awaitDrain = Effect.suspend(() => {
    if (end.isOver()) return end.failure()
    return stream.writableNeedsDrain ? inTime(drained) : Effect.void
  })
  const writePiece = (piece: Uint8Array): Effect.Effect<void, StreamFailure> =>
    Effect.suspend(() => {
      if (end.isOver()) return end.failure()
      try {
        return stream.send(piece) ? Effect.void : awaitDrain
      } catch {
        return end.failure()
      }
    })

  return {
    write: (bytes) =>
      bytes.length <= pieceSize ? writePiece(bytes) : Effect.forEach(pieces(bytes), writePiece, { discard: true }),
    closeWrite: inTime(
      Effect.tryPromise({ try: (signal) => stream.close({ signal }), catch: end.failure }).pipe(Effect.disconnect)
    )
  }
}

/** Handed over at once; what waits to be sent stays below twice that. */
const pieceSize = 256 * 1024

const pieces = (bytes: Uint8Array): ReadonlyArray<Uint8Array> =>
  Array.from({ length: Math.ceil(bytes.length / pieceSize) }, (_, index) =>
    bytes.subarray(index * pieceSize, (index + 1) * pieceSize)
  )
