import type { Connection } from "@libp2p/interface"
import { Chunk, type Clock, Duration, Effect, Either, Option, type Scope, Stream } from "effect"
import {
  MalformedResponse,
  PeerDisconnected,
  PeerRefused,
  ProbeTimeout,
  type RequestError
} from "../domain/probe/Outcome.ts"
import { type ByteStream, open, type OpenFailure } from "./ByteStream.ts"
import { encodeRequest, makeResponseDecoder, type ResponseDecoder } from "./Codec.ts"
import type { RequestMessage, RequestVersion, ResponseChunk } from "./Message.ts"
import { refusalOf } from "./Refusal.ts"
import type { WireError } from "./WireError.ts"
import { messageOf } from "../domain/Text.ts"

/** How long a peer may take. Only waiting for the peer counts, not what we do in between. */
export interface RequestLimits {
  /** Opening the stream and agreeing on a protocol. */
  readonly open: Duration.Duration
  /** Taking the request, and then until the first byte of the response. */
  readonly firstByte: Duration.Duration
  /** From one whole chunk to the next. */
  readonly chunk: Duration.Duration
  /** The whole response. */
  readonly total: Duration.Duration
}

/** The specification leaves the limits to the client; these are its former TTFB_TIMEOUT and RESP_TIMEOUT. */
const defaultLimits: RequestLimits = {
  open: Duration.seconds(5),
  firstByte: Duration.seconds(5),
  chunk: Duration.seconds(10),
  total: Duration.minutes(1)
}

/** One response under way: chunks as they come, until the peer closes the stream. */
export interface ResponseStream {
  /** The protocol id that was negotiated. */
  readonly protocol: string
  /**
   * Ends when the peer closes cleanly between chunks; an error chunk, a stall, a reset or junk ends it with the typed
   * error. Run it once.
   */
  readonly chunks: Stream.Stream<ResponseChunk, RequestError>
}

/** What is used of a libp2p connection. */
export type RequestConnection = Pick<Connection, "newStream" | "status">

/**
 * Opens one stream, writes the request, half-closes and gives the response. With the scope the stream is closed: reset,
 * unless the response was read to its end.
 */
export const request = Effect.fnUntraced(function* (
  connection: RequestConnection,
  message: RequestMessage,
  limits: RequestLimits = defaultLimits
): Effect.fn.Return<ResponseStream, RequestError, Scope.Scope> {
  const stream = yield* openStream(connection, message, limits)
  const version = message.protocols.find((version) => version.protocol.id === stream.protocol)
  if (version === undefined) return yield* new MalformedResponse({ detail: `negotiated ${stream.protocol}` })
  yield* send(stream, version, limits)
  const decoder = makeResponseDecoder(version.protocol, message.allowed)
  const clock = yield* Effect.clock
  return { protocol: stream.protocol, chunks: responseChunks(connection, stream, decoder, limits, clock) }
})

const openStream = (
  connection: RequestConnection,
  message: RequestMessage,
  limits: RequestLimits
): Effect.Effect<ByteStream, RequestError, Scope.Scope> =>
  open(
    (signal) =>
      connection.newStream(
        message.protocols.map(({ protocol }) => protocol.id),
        { signal }
      ),
    {
      writeTimeout: limits.firstByte,
      readBufferLimit: readBufferLimit(message)
    }
  ).pipe(
    Effect.mapError(openError),
    Effect.disconnect,
    Effect.timeoutFail({
      duration: limits.open,
      onTimeout: () => new ProbeTimeout({ stage: "handshake", afterMs: Duration.toMillis(limits.open) })
    })
  )

/**
 * What may wait inside libp2p while we are not reading: no more than the whole answer may have on the stream, framing
 * and an error message included, and 16 MiB at most.
 */
const readBufferLimit = ({ allowed, protocols }: RequestMessage): number => {
  const most = Math.max(...protocols.map(({ protocol }) => protocol.response.max * protocol.maxChunks))
  return Math.min(16 * 2 ** 20, 2 ** 17 + 2 * (allowed?.totalBytes ?? most))
}

const openError = ({ cause }: OpenFailure): RequestError =>
  cause instanceof Error && cause.name === "UnsupportedProtocolError"
    ? new PeerRefused({ reason: "unsupported_protocol", detail: cause.message })
    : new PeerDisconnected({ stage: "handshake", detail: messageOf(cause) })

/** A peer may answer and reset before it has read all: then what it said is more telling than our failure to write. */
const send = (
  stream: ByteStream,
  version: RequestVersion,
  limits: RequestLimits
): Effect.Effect<void, RequestError> => {
  const bytes = encodeRequest(version.protocol, version.body)
  return Effect.zipRight(bytes.length === 0 ? Effect.void : stream.write(bytes), stream.closeWrite).pipe(
    Effect.catchAll((failure) =>
      failure.kind === "stalled"
        ? Effect.fail(new ProbeTimeout({ stage: "firstChunk", afterMs: Duration.toMillis(limits.firstByte) }))
        : Effect.void
    )
  )
}

const responseChunks = (
  connection: RequestConnection,
  stream: ByteStream,
  decoder: ResponseDecoder,
  limits: RequestLimits,
  clock: Clock.Clock
): Stream.Stream<ResponseChunk, RequestError> => {
  const firstByteMs = Duration.toMillis(limits.firstByte)
  const chunkMs = Duration.toMillis(limits.chunk)
  const totalMs = Duration.toMillis(limits.total)
  let stage: "firstChunk" | "body" = "firstChunk"
  /** Milliseconds spent waiting: for the response, and for the chunk that is next. */
  let waited = 0
  let waitedForChunk = 0
  /** Ends the response after the chunks that came before it. */
  let last: RequestError | undefined

  const read = Effect.suspend(() => {
    const allowed = stage === "firstChunk" ? firstByteMs : chunkMs
    const left = Math.max(0, Math.min(allowed - waitedForChunk, totalMs - waited))
    const before = clock.unsafeCurrentTimeMillis()
    return Effect.mapBoth(stream.readAll(left), {
      onFailure: (failure) =>
        failure.kind === "silent"
          ? new ProbeTimeout({ stage, afterMs: waited + left < totalMs ? allowed : totalMs })
          : new PeerDisconnected({ stage, detail: failure.message }),
      onSuccess: (pieces) => {
        const elapsed = clock.unsafeCurrentTimeMillis() - before
        waited += elapsed
        waitedForChunk += elapsed
        return pieces
      }
    })
  })

  /** Once there is a result code the outcome is that code, however the stream ends after it. */
  const refused = (): Option.Option<RequestError> =>
    Option.map(decoder.refusal(), ({ code, message }) => refusalOf(code, message))

  /** The chunks that became whole; what ends the response comes after them. */
  const decode = (pieces: ReadonlyArray<Uint8Array>): ReadonlyArray<ResponseChunk> => {
    const chunks: Array<ResponseChunk> = []
    for (const piece of pieces) {
      const { items, error } = decoder.push(piece)
      if (error !== undefined) last = malformed(error)
      for (const item of items) {
        if (item._tag === "Success") chunks.push(item.chunk)
        else last = refusalOf(item.code, item.message)
      }
      if (last !== undefined) break
    }
    return chunks
  }

  const pull: Effect.Effect<Chunk.Chunk<ResponseChunk>, Option.Option<RequestError>> = Effect.suspend(() =>
    last !== undefined
      ? Effect.fail(Option.some(last))
      : Effect.matchEffect(read, {
          onFailure: (error) => Effect.fail(Option.some(Option.getOrElse(refused(), () => error))),
          onSuccess: (pieces) => {
            if (Option.isNone(pieces)) {
              const refusal = refused()
              if (Option.isSome(refusal)) return Effect.fail(refusal)
              const end = decoder.finish()
              return Either.isRight(end) ? Effect.fail(Option.none()) : endedInside(connection, end.left)
            }
            if (stage === "firstChunk") {
              stage = "body"
              waitedForChunk = 0
            }
            const chunks = decode(pieces.value)
            if (chunks.length === 0) return pull
            waitedForChunk = 0
            return Effect.succeed(Chunk.unsafeFromArray(chunks))
          }
        })
  )
  return Stream.repeatEffectChunkOption(pull)
}

/**
 * A clean end inside a chunk is malformed. But a peer that shuts down may end its streams just before the connection:
 * that is no fault.
 */
const endedInside = (
  connection: RequestConnection,
  error: WireError
): Effect.Effect<never, Option.Option<RequestError>> =>
  Effect.sync(() => connection.status === "open").pipe(
    Effect.delay(shutdownGrace),
    Effect.flatMap((open) =>
      Effect.fail(Option.some(open ? malformed(error) : new PeerDisconnected({ stage: "body", detail: error.message })))
    )
  )

const shutdownGrace = Duration.millis(300)

const malformed = (error: WireError): RequestError =>
  new MalformedResponse({ detail: error.message, truncated: error.reason === "early_end" })
