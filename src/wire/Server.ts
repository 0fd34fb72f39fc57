import type { Connection, Libp2p, Stream as Libp2pStream } from "@libp2p/interface"
import type { Multiaddr } from "@multiformats/multiaddr"
import { Cause, Duration, Effect, Either, FiberSet, Option, type Scope } from "effect"
import { type ByteStream, fromStream } from "./ByteStream.ts"
import { encodeErrorChunk, encodeSuccessChunk, makeRequestDecoder } from "./Codec.ts"
import type { Protocol } from "./Protocol.ts"
import { resultCodes } from "./Refusal.ts"
import { StreamFailure } from "./StreamEnd.ts"
import { makeStreamShares, type StreamShares, takeOfAll } from "./StreamShares.ts"
import type { WireError } from "./WireError.ts"

/** What may be done with the stream of a request. Each write waits for the peer, within a limit. */
export interface Reply {
  /** One success chunk; `context` is `0x` and 8 digits, for protocols that have context bytes. */
  readonly chunk: (ssz: Uint8Array, context?: string) => Effect.Effect<void, StreamFailure>
  readonly error: (code: number, message: string) => Effect.Effect<void, StreamFailure>
  /** Bytes as they are, chunk or not. */
  readonly raw: (bytes: Uint8Array) => Effect.Effect<void, StreamFailure>
  readonly reset: Effect.Effect<void>
}

/**
 * Answers one request: `ssz` is its body, `address` where the peer is connected from. When it returns, the stream is half-closed; when the peer gives the stream up
 * first, it is interrupted.
 */
export type Handler<R> = (
  ssz: Uint8Array,
  peerId: string,
  reply: Reply,
  address: Multiaddr
) => Effect.Effect<void, StreamFailure, R>

export interface ServeLimits {
  /** For the whole request to come. */
  readonly request: Duration.Duration
  /** For each 256 KiB of the response to be taken. */
  readonly write: Duration.Duration
  /** Open streams of the protocol on one connection; libp2p resets what goes beyond. */
  readonly streamsPerConnection: number
  /** Open streams of the protocol to one identity, over all of its connections; what goes beyond is reset. */
  readonly streamsPerIdentity: number
  /** Open streams of the protocol altogether; what goes beyond is reset, or takes the place of one (`StreamShares`). */
  readonly streams: number
  /** Accounts that several protocols have in common. */
  readonly shared?: ReadonlyArray<StreamShares>
}

export const defaultServeLimits: ServeLimits = {
  request: Duration.seconds(5),
  write: Duration.seconds(10),
  // Twice what a peer may ask at once with one protocol (phase0/p2p-interface.md): streams linger a little.
  streamsPerConnection: 4,
  streamsPerIdentity: 4,
  streams: 256
}

/** What is used of a libp2p node. */
export type ServingNode = Pick<Libp2p, "handle" | "unhandle">

/**
 * Serves `protocol` for as long as the scope is open; responses under way end with it. A request that cannot be decoded
 * gets an error chunk with code 1 (`onUndecodable` is told before); one that does not come in time, a reset.
 */
export const serve = <R>(
  node: ServingNode,
  protocol: Protocol,
  handler: Handler<R>,
  limits: ServeLimits = defaultServeLimits,
  onUndecodable: (peerId: string) => Effect.Effect<void> = () => Effect.void
): Effect.Effect<void, never, Exclude<R, Scope.Scope> | Scope.Scope> =>
  register(node, protocol.id, limits, (stream, peerId, asked, address) =>
    Effect.gen(function* () {
      const ssz = yield* Effect.either(readRequest(stream, protocol, limits))
      asked()
      if (Either.isRight(ssz)) {
        return yield* Effect.raceFirst(
          handler(ssz.right, peerId, replyOn(stream, protocol), address),
          stream.awaitClosed
        )
      }
      if (ssz.left._tag === "StreamFailure") return yield* ssz.left
      yield* onUndecodable(peerId)
      yield* stream.write(encodeErrorChunk(resultCodes.invalidRequest, ssz.left.message))
    })
  )

/**
 * Answers every request of `protocolId` with a clean, empty stream, for protocols that we do not speak: once `pace` lets
 * that peer have it.
 */
export const serveNothing = (
  node: ServingNode,
  protocolId: string,
  limits: ServeLimits = defaultServeLimits,
  pace: (peerId: string) => Effect.Effect<void> = () => Effect.void
): Effect.Effect<void, never, Scope.Scope> =>
  register(node, protocolId, limits, (stream, peerId) => Effect.raceFirst(pace(peerId), stream.awaitClosed))

/** What is done on a stream; `asked` is called when its request has come. */
type Respond<R> = (
  stream: ByteStream,
  peerId: string,
  asked: () => void,
  address: Multiaddr
) => Effect.Effect<void, StreamFailure, R>

const register = <R>(
  node: ServingNode,
  protocolId: string,
  limits: ServeLimits,
  respond: Respond<R>
): Effect.Effect<void, never, Exclude<R, Scope.Scope> | Scope.Scope> =>
  Effect.gen(function* () {
    const run = yield* FiberSet.makeRuntime<Exclude<R, Scope.Scope>>()
    const shares = makeStreamShares({ perIdentity: limits.streamsPerIdentity, total: limits.streams })
    const accounts = [shares, ...(limits.shared ?? [])]
    const onStream = (stream: Libp2pStream, { remoteAddr, remotePeer }: Connection): void => {
      const peerId = remotePeer.toString()
      const reset = (): void => stream.abort(new Error("too many streams"))
      const held = takeOfAll(accounts, peerId, Date.now(), reset)
      if (held === undefined) return reset()
      run(
        Effect.scoped(converse(stream, limits, (opened) => respond(opened, peerId, held.asked, remoteAddr))).pipe(
          Effect.catchAllCause((cause) =>
            Cause.isInterruptedOnly(cause)
              ? Effect.void
              : Effect.logError(`a request of ${protocolId} could not be answered: this is a bug in dasmon`, cause)
          ),
          Effect.ensuring(Effect.sync(held.release))
        )
      )
    }
    yield* Effect.acquireRelease(
      Effect.promise(() =>
        node.handle(protocolId, onStream, {
          maxInboundStreams: limits.streamsPerConnection
        })
      ),
      () => Effect.promise(() => node.unhandle(protocolId)).pipe(Effect.disconnect, Effect.timeoutOption("1 second"))
    )
  })

/** Responds, half-closes, and lets the peer close its half too, so that it sees an end and not a reset. */
const converse = <R>(
  libp2pStream: Libp2pStream,
  limits: ServeLimits,
  respond: (stream: ByteStream) => Effect.Effect<void, StreamFailure, R>
): Effect.Effect<void, never, R | Scope.Scope> =>
  Effect.gen(function* () {
    const stream = yield* fromStream(libp2pStream, { writeTimeout: limits.write })
    yield* respond(stream).pipe(
      Effect.zipRight(stream.closeWrite),
      Effect.zipRight(discardRest(stream)),
      // The peer is gone or does not take what we write: it has lost the response, and we have lost nothing.
      Effect.catchAll(() => Effect.void)
    )
  })

/** A peer that says all and is gone at once (a Goodbye) has still said it. */
const readRequest = (
  stream: ByteStream,
  protocol: Protocol,
  limits: ServeLimits
): Effect.Effect<Uint8Array, WireError | StreamFailure> =>
  Effect.suspend(() => {
    const decoder = makeRequestDecoder(protocol)
    const read: Effect.Effect<Uint8Array, WireError | StreamFailure> = Effect.flatMap(
      stream.read(limits.request),
      Option.match({
        onNone: () => decoder.finish(),
        onSome: (bytes) => Effect.zipRight(decoder.push(bytes), read)
      })
    )
    return read.pipe(
      Effect.timeoutFail({
        duration: limits.request,
        onTimeout: () => new StreamFailure({ kind: "silent", detail: "the request did not come in time" })
      }),
      Effect.catchTag("StreamFailure", (failure) =>
        failure.kind === "silent" ? failure : Effect.mapError(decoder.finish(), () => failure)
      )
    )
  })

/** Reads up to the peer's end, for a while and not much: what it still has to say is not wanted. */
const discardRest = (stream: ByteStream): Effect.Effect<void, StreamFailure> =>
  Effect.gen(function* () {
    let bytes = 0
    while (bytes < maxDiscarded) {
      const piece = yield* stream.read("2 seconds")
      if (Option.isNone(piece)) return
      bytes += piece.value.length
    }
  }).pipe(Effect.timeoutOption("2 seconds"), Effect.asVoid)

const maxDiscarded = 256 * 1024

const replyOn = (stream: ByteStream, protocol: Protocol): Reply => ({
  chunk: (ssz, context) => stream.write(encodeSuccessChunk(protocol, ssz, context)),
  error: (code, message) => stream.write(encodeErrorChunk(code, message)),
  raw: stream.write,
  reset: stream.reset
})
