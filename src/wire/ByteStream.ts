import type { Stream } from "@libp2p/interface"
import { Data, type Duration, Effect, type Scope } from "effect"
import { watchEnd } from "./StreamEnd.ts"
import { makeReader, type StreamReader } from "./StreamReader.ts"
import { makeWriter, type StreamWriter } from "./StreamWriter.ts"

/** A libp2p stream with back-pressure both ways and ends that are told apart. One reader and one writer at a time. */
export interface ByteStream extends Pick<StreamReader, "read" | "readAll">, StreamWriter {
  /** The negotiated protocol id. */
  readonly protocol: string
  /** Resets the stream; nothing if it is closed already. */
  readonly reset: Effect.Effect<void>
  /** Returns when the stream is closed at both ends, lost or reset. */
  readonly awaitClosed: Effect.Effect<void>
}

export interface ByteStreamOptions {
  /** How long the peer may take nothing of what we write. */
  readonly writeTimeout: Duration.DurationInput
  /**
   * Bytes that may wait inside libp2p while we are not reading; more resets the stream. A muxer without flow control
   * (mplex) needs room for what the peer may send in the meantime.
   */
  readonly readBufferLimit?: number
}

/** The stream could not be opened, or no protocol agreed on. */
export class OpenFailure extends Data.TaggedError("OpenFailure")<{ readonly cause: unknown }> {}

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

const attach = (
  stream: Stream,
  options: ByteStreamOptions
): { readonly stream: ByteStream; readonly detach: () => void } => {
  if (options.readBufferLimit !== undefined) stream.maxReadBufferLength = options.readBufferLimit
  const end = watchEnd(stream)
  const reader = makeReader(stream, end)
  const writer = makeWriter(stream, end, options.writeTimeout)
  return {
    stream: {
      ...writer,
      read: reader.read,
      readAll: reader.readAll,
      protocol: stream.protocol,
      reset: Effect.sync(() => end.abort("reset by us")),
      awaitClosed: Effect.async<void>((resume) => {
        const check = (): void => {
          if (end.isOver()) resume(Effect.void)
        }
        check()
        const stopWatching = end.onChange(check)
        return Effect.sync(stopWatching)
      })
    },
    detach: () => {
      end.abort("done with it")
      reader.detach()
      end.detach()
    }
  }
}
