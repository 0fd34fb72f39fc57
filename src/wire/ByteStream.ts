import type { Stream } from "@libp2p/interface"
import { Data, Duration, Effect, type Option, type Scope } from "effect"

/** Why a stream can no longer be read or written. */
export class StreamFailure extends Data.TaggedError("StreamFailure")<{
  /**
   * `reset`: the peer reset the stream. `lost`: the connection went away. `aborted`: we reset it. `overflow`: more came
   * than we may hold while we were not reading. `stalled`: the peer did not take what we wrote in time. `closed`: it is
   * closed already.
   */
  readonly kind: "reset" | "lost" | "aborted" | "overflow" | "stalled" | "closed"
  readonly detail: string
}> {
  override get message(): string {
    return `${this.kind}: ${this.detail}`
  }
}

/** The stream could not be opened, or no protocol agreed on. */
export class OpenFailure extends Data.TaggedError("OpenFailure")<{ readonly cause: unknown }> {}

/** A libp2p stream with back-pressure both ways and an end that is told apart. One reader and one writer at a time. */
export interface ByteStream {
  /** The negotiated protocol id. */
  readonly protocol: string
  /** The next bytes; none after the peer's clean end. Has no time limit of its own. */
  readonly read: Effect.Effect<Option.Option<Uint8Array>, StreamFailure>
  /** Waits until the transport can take more, at most `writeTimeout` for each 256 KiB. */
  readonly write: (bytes: Uint8Array) => Effect.Effect<void, StreamFailure>
  /** Half-closes, once what was written is with the transport; at most `writeTimeout`. */
  readonly closeWrite: Effect.Effect<void, StreamFailure>
  /** Resets the stream; nothing if it is closed already. */
  readonly reset: Effect.Effect<void>
  /** Returns when the stream is closed at both ends, lost or reset. */
  readonly awaitClosed: Effect.Effect<void>
}

export interface ByteStreamOptions {
  readonly writeTimeout: Duration.DurationInput
  /**
   * Bytes that may wait inside libp2p while we are not reading; more resets the stream. A muxer without flow control
   * (mplex) needs room for what the peer may send in the meantime.
   */
  readonly readBufferLimit?: number
}

/** Wraps an open stream. With the scope it is reset, unless both ends have been closed by then. */
export const fromStream = (stream: Stream, options: ByteStreamOptions): Effect.Effect<ByteStream, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => attach(stream, options)),
    (attached) => Effect.sync(attached.detach)
  ).pipe(Effect.map((attached) => attached.stream))

/** Opens a stream and wraps it. One that opens after we have lost interest is reset. */
export const open = (
  opener: (signal: AbortSignal) => Promise<Stream>,
  options: ByteStreamOptions
): Effect.Effect<ByteStream, OpenFailure, Scope.Scope> =>
  Effect.suspend(() => {
    let opened: Stream | undefined
    const abandon = (): void => opened?.abort(new Error("no longer wanted"))
    return Effect.tryPromise({
      try: async (signal) => {
        opened = await opener(signal)
        if (signal.aborted) abandon()
        return opened
      },
      catch: (cause) => new OpenFailure({ cause })
    }).pipe(
      Effect.flatMap((stream) => fromStream(stream, options)),
      Effect.onInterrupt(() => Effect.sync(abandon))
    )
  })

/** Reading is paused above the first and resumed at the second: bytes received and not read. */
const highWater = 256 * 1024
const lowWater = 64 * 1024
/** Written at once; what waits to be sent stays below twice that. */
const pieceSize = 256 * 1024

const attach = (
  stream: Stream,
  options: ByteStreamOptions
): { readonly stream: ByteStream; readonly detach: () => void } => {
  if (options.readBufferLimit !== undefined) stream.maxReadBufferLength = options.readBufferLimit
  const queue: Array<Uint8Array> = []
  let queued = 0
  let paused = false
  let resuming = false
  let aborting = false
  // A stream whose connection is lost also counts as ended by the peer, but then it is no longer open.
  let remoteEnded = stream.remoteWriteStatus === "closed" && stream.status === "open"
  let failure = stream.status === "open" ? undefined : failureOfStatus(stream)
  let wake = nothing

  const pauseIfFull = (): void => {
    if (paused || queued <= highWater) return
    paused = attempt(() => stream.pause())
  }
  const onMessage = (event: { readonly data: Uint8Array | Iterable<Uint8Array> }): void => {
    for (const part of event.data instanceof Uint8Array ? [event.data] : event.data) {
      queue.push(part)
      queued += part.length
    }
    // While it resumes, libp2p would undo a pause: that is seen to afterwards.
    if (resuming) return
    pauseIfFull()
    wake()
  }
  const resumeIfLow = (): void => {
    if (!paused || queued > lowWater) return
    paused = false
    resuming = true
    attempt(() => stream.resume())
    resuming = false
    pauseIfFull()
  }
  const onRemoteEnd = (): void => {
    remoteEnded = true
    wake()
  }
  const onClose = (event: { readonly error?: Error; readonly local?: boolean }): void => {
    failure = failureOfClose(event, remoteEnded, aborting)
    wake()
  }
  stream.addEventListener("message", onMessage)
  stream.addEventListener("remoteCloseWrite", onRemoteEnd)
  stream.addEventListener("close", onClose)

  /** What a read gives now; `undefined` if it has to wait. */
  const take = (): Effect.Effect<Option.Option<Uint8Array>, StreamFailure> | undefined => {
    resumeIfLow()
    const next = queue.shift()
    if (next !== undefined) {
      queued -= next.length
      return Effect.succeedSome(next)
    }
    // libp2p holds bytes that it is about to hand over.
    if (stream.readBufferLength > 0 && stream.readStatus === "readable") return undefined
    if (remoteEnded) return Effect.succeedNone
    return failure
  }
  const read = Effect.suspend(
    () =>
      take() ??
      Effect.async<Option.Option<Uint8Array>, StreamFailure>((resume) => {
        wake = () => {
          const taken = take()
          if (taken === undefined) return
          wake = nothing
          resume(taken)
        }
        return Effect.sync(() => {
          wake = nothing
        })
      })
  )

  const stalled = (): StreamFailure =>
    new StreamFailure({
      kind: "stalled",
      detail: `nothing was taken within ${Duration.toMillis(options.writeTimeout)} ms`
    })
  const awaitDrain = Effect.async<void, StreamFailure>((resume) => {
    // libp2p sends what is left in a microtask of the same event: look after that.
    const onDrain = (): void =>
      queueMicrotask(() => {
        if (stream.writeBufferLength <= pieceSize) resume(Effect.void)
      })
    const onEnd = (): void => resume(failure ?? closed)
    stream.addEventListener("drain", onDrain)
    stream.addEventListener("close", onEnd)
    return Effect.sync(() => {
      stream.removeEventListener("drain", onDrain)
      stream.removeEventListener("close", onEnd)
    })
  }).pipe(Effect.timeoutFail({ duration: options.writeTimeout, onTimeout: stalled }))
  const writePiece = (piece: Uint8Array): Effect.Effect<void, StreamFailure> =>
    Effect.suspend(() => {
      if (failure !== undefined) return failure
      try {
        if (stream.send(piece)) return Effect.void
      } catch {
        return failure ?? closed
      }
      return awaitDrain
    })

  return {
    stream: {
      protocol: stream.protocol,
      read,
      write: (bytes) =>
        bytes.length <= pieceSize ? writePiece(bytes) : Effect.forEach(pieces(bytes), writePiece, { discard: true }),
      closeWrite: Effect.tryPromise({
        try: (signal) => stream.close({ signal }),
        catch: () => failure ?? closed
      }).pipe(Effect.disconnect, Effect.timeoutFail({ duration: options.writeTimeout, onTimeout: stalled })),
      reset: Effect.sync(() => {
        aborting = true
        stream.abort(new Error("reset by us"))
      }),
      awaitClosed: Effect.async<void>((resume) => {
        if (failure !== undefined) return resume(Effect.void)
        const onEnd = (): void => resume(Effect.void)
        stream.addEventListener("close", onEnd)
        return Effect.sync(() => stream.removeEventListener("close", onEnd))
      })
    },
    detach: () => {
      aborting = true
      stream.abort(new Error("done with it"))
      stream.removeEventListener("message", onMessage)
      stream.removeEventListener("remoteCloseWrite", onRemoteEnd)
      stream.removeEventListener("close", onClose)
    }
  }
}

const nothing = (): void => {}
const closed = new StreamFailure({ kind: "closed", detail: "the stream is closed" })

/** libp2p throws at streams that are closing or whose connection is gone; the close event tells why. */
const attempt = (step: () => void): boolean => {
  try {
    step()
    return true
  } catch {
    return false
  }
}

const pieces = (bytes: Uint8Array): ReadonlyArray<Uint8Array> =>
  Array.from({ length: Math.ceil(bytes.length / pieceSize) }, (_, index) =>
    bytes.subarray(index * pieceSize, (index + 1) * pieceSize)
  )

const failureOfStatus = (stream: Stream): StreamFailure =>
  stream.status === "reset"
    ? new StreamFailure({ kind: "reset", detail: "the peer reset the stream" })
    : new StreamFailure({ kind: "lost", detail: "the connection was closed" })

/** The muxer closes its streams without an error when the connection goes away, and by an abort when it breaks. */
const failureOfClose = (
  event: { readonly error?: Error; readonly local?: boolean },
  remoteEnded: boolean,
  aborting: boolean
): StreamFailure => {
  if (event.error === undefined) {
    return remoteEnded ? closed : new StreamFailure({ kind: "lost", detail: "the connection was closed" })
  }
  if (event.local !== true) return new StreamFailure({ kind: "reset", detail: "the peer reset the stream" })
  if (aborting) return new StreamFailure({ kind: "aborted", detail: event.error.message })
  return new StreamFailure({
    kind: event.error.name === "StreamBufferError" ? "overflow" : "lost",
    detail: event.error.message
  })
}
