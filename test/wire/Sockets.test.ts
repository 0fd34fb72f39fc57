import { assert, describe, it } from "@effect/vitest"
import type { Connection } from "@libp2p/interface"
import { Chunk, Deferred, Duration, Effect, Exit, Fiber, Queue, Ref, Scope, Stream } from "effect"
import { seeded } from "../../src/devnet/chain/Random.ts"
import { equalBytes } from "../../src/domain/Bytes.ts"
import { describe as describeError, type RequestError } from "../../src/domain/probe/Outcome.ts"
import { type ByteStream, open } from "../../src/wire/ByteStream.ts"
import { request, type RequestLimits } from "../../src/wire/Client.ts"
import { encodeRequest, encodeSuccessChunk } from "../../src/wire/Codec.ts"
import { goodbyeRequest, metadataRequest, pingRequest, statusRequest } from "../../src/wire/Handshake.ts"
import type { RequestMessage, ResponseChunk } from "../../src/wire/Message.ts"
import { makeNode, type Muxer, type Node } from "../../src/wire/Node.ts"
import {
  dataColumnSidecarsByRange as columnsProtocol,
  goodbye,
  metadataV3,
  ping,
  type Protocol,
  statusV1,
  statusV2
} from "../../src/wire/Protocol.ts"
import { columnsByRange, decodeColumnsByRange } from "../../src/wire/Requests.ts"
import { defaultServeLimits, type Handler, serve, serveNothing } from "../../src/wire/Server.ts"
import { eventually } from "../Eventually.ts"
import { scaled } from "../TimeLimits.ts"

const digest = "0x8c9f62fe"
const columns = columnsByRange({ startSlot: 1, count: 4, columns: [0, 1] })
const status = {
  forkDigest: digest,
  finalizedRoot: `0x${"00".repeat(32)}`,
  finalizedEpoch: 0,
  headRoot: `0x${"11".repeat(32)}`,
  headSlot: 7,
  earliestAvailableSlot: 3
}
/** For what does come, however busy the machine is. */
const minute = Duration.minutes(1)
const patient: RequestLimits = { open: minute, firstByte: minute, chunk: minute, total: minute }

interface Pair {
  readonly server: Node
  readonly client: Node
  readonly connection: Connection
}

/** Two nodes, connected; the client offers only `muxer`, or dials by QUIC, which has one of its own. */
const connect = Effect.fnUntraced(function* (muxer: Muxer | "quic" = "yamux") {
  const listen = [muxer === "quic" ? "/ip4/127.0.0.1/udp/0/quic-v1" : "/ip4/127.0.0.1/tcp/0"]
  const server = yield* makeNode({ agent: "server/1", listen })
  const client = yield* makeNode({ agent: "client/1", muxers: muxer === "quic" ? [] : [muxer], listen: [] })
  const connection = yield* Effect.promise(() => client.dial(server.getMultiaddrs()))
  const pair: Pair = { server, client, connection }
  return pair
})

const ask = (
  connection: Connection,
  message: RequestMessage,
  limits: RequestLimits = patient
): Effect.Effect<ReadonlyArray<ResponseChunk>, RequestError> =>
  request(connection, message, limits).pipe(
    Effect.flatMap(({ chunks }) => Stream.runCollect(chunks)),
    Effect.map(Chunk.toReadonlyArray),
    Effect.scoped
  )

/** The chunks that came, and the error that ended them. */
const askUntilError = (connection: Connection, message: RequestMessage, limits: RequestLimits = patient) =>
  Effect.gen(function* () {
    const count = yield* Ref.make(0)
    const error = yield* request(connection, message, limits).pipe(
      Effect.flatMap(({ chunks }) => Stream.runForEach(chunks, () => Ref.update(count, (n) => n + 1))),
      Effect.scoped,
      Effect.flip
    )
    return { chunks: yield* count, error }
  })

const noise = seeded(1, "noise").bytes(45_380)
/** As large as a sidecar of a block with 21 blobs; does not compress. */
const sidecar = (index: number): Uint8Array => Uint8Array.from(noise).fill(index, 0, 8)

/** Of requests; those of gossip stay. */
const streamsOf = (connection: Connection): number =>
  connection.streams.filter(({ protocol }) => !protocol.startsWith("/meshsub/")).length

describe.each(["yamux", "mplex", "quic"] as const)("over %s", (muxer) => {
  it.scopedLive("answers 50 requests, one after the other, and leaves no stream behind", () =>
    Effect.gen(function* () {
      const { server, connection } = yield* connect(muxer)
      assert.include(connection.multiplexer ?? "", muxer)
      yield* serve(server, ping, (ssz, _peer, reply) => reply.chunk(ssz))
      for (let index = 0; index < 50; index++) {
        const [chunk] = yield* ask(connection, pingRequest(index))
        assert.strictEqual(chunk?.ssz[0], index)
        assert.isUndefined(chunk?.context)
      }
      yield* eventually(() => streamsOf(connection) === 0)
    })
  )

  it.scopedLive("carries 8 MB of sidecars, and counts their bytes", () =>
    Effect.gen(function* () {
      const { server, connection } = yield* connect(muxer)
      yield* serve(server, columnsProtocol, (ssz, _peer, reply) =>
        Effect.gen(function* () {
          const { count, columns } = yield* Effect.orDie(decodeColumnsByRange(ssz))
          assert.deepStrictEqual([count, columns], [4, [0, 1]])
          for (let index = 0; index < 180; index++) yield* reply.chunk(sidecar(index), digest)
        })
      )
      const chunks = yield* ask(connection, columns)
      assert.strictEqual(chunks.length, 180)
      chunks.forEach(({ context, ssz, wireBytes }, index) => {
        assert.strictEqual(context, digest)
        assert.isTrue(equalBytes(ssz, sidecar(index)))
        assert.strictEqual(wireBytes, encodeSuccessChunk(columnsProtocol, ssz, digest).length)
      })
      assert.isAbove(
        chunks.reduce((sum, { ssz }) => sum + ssz.length, 0),
        8_000_000
      )
    })
  )

  it.scopedLive("tells a reset, a clean end inside a chunk and a lost connection apart", () =>
    Effect.gen(function* () {
      const { server, client, connection } = yield* connect(muxer)
      const endings = yield* Queue.unbounded<Handler<never>>()
      yield* serve(server, columnsProtocol, (ssz, peer, reply, address) =>
        Effect.gen(function* () {
          yield* reply.chunk(sidecar(1), digest)
          yield* reply.raw(encodeSuccessChunk(columnsProtocol, sidecar(2), digest).subarray(0, 1_000))
          yield* (yield* Queue.take(endings))(ssz, peer, reply, address)
        })
      )
      yield* Queue.offer(endings, (_ssz, _peer, reply) => reply.reset)
      const reset = yield* askUntilError(connection, columns)
      assert.include(reset.error, { _tag: "PeerDisconnected", stage: "body" })
      yield* Queue.offer(endings, () => Effect.void)
      const ended = yield* askUntilError(connection, columns)
      assert.deepInclude(ended, { chunks: 1 })
      assert.include(ended.error, { _tag: "MalformedResponse", truncated: true })
      yield* Queue.offer(endings, (_ssz, _peer, reply) => reply.raw(new Uint8Array(60_000)))
      const garbage = yield* askUntilError(connection, columns)
      assert.include(garbage.error, { _tag: "MalformedResponse", truncated: false })
      yield* Queue.offer(endings, () =>
        Effect.sync(() => server.getConnections().forEach((connection) => connection.abort(new Error("gone"))))
      )
      const lost = yield* askUntilError(connection, columns)
      assert.include(lost.error, { _tag: "PeerDisconnected", stage: "body" })
      // A peer that stops sends what it has and ends its streams before the connection: that is not malformed.
      yield* eventually(() => client.getConnections().length === 0)
      const again = yield* Effect.promise(() => client.dial(server.getMultiaddrs()))
      yield* Queue.offer(endings, () => Effect.promise(() => server.hangUp(client.peerId)))
      const stopped = yield* askUntilError(again, columns)
      assert.include(stopped.error, { _tag: "PeerDisconnected", stage: "body" })
    })
  )

  it.scopedLive("hears a result code that is all that comes, however the answer ends after it", () =>
    Effect.gen(function* () {
      const { server, connection } = yield* connect(muxer)
      const endings = yield* Queue.unbounded<Handler<never>>()
      yield* serve(server, columnsProtocol, (ssz, peer, reply, address) =>
        Effect.gen(function* () {
          yield* reply.chunk(sidecar(1), digest)
          yield* reply.raw(Uint8Array.of(3))
          yield* (yield* Queue.take(endings))(ssz, peer, reply, address)
        })
      )
      const limits = { ...patient, chunk: scaled("500 millis") }
      const after: ReadonlyArray<Handler<never>> = [
        () => Effect.void,
        () => Effect.never,
        (_ssz, _peer, reply) => reply.raw(Uint8Array.of(0xff, 0xff)),
        (_ssz, _peer, reply) => Effect.zipRight(Effect.sleep("100 millis"), reply.reset)
      ]
      for (const ending of after) {
        yield* Queue.offer(endings, ending)
        const { chunks, error } = yield* askUntilError(connection, columns, limits)
        assert.strictEqual(chunks, 1)
        assert.include(error, { _tag: "ColumnsUnavailable", detail: "code 3" })
      }
    })
  )

  it.scopedLive("gives up on a peer that says nothing, stops, or drips", () =>
    Effect.gen(function* () {
      const { server, connection } = yield* connect(muxer)
      yield* serve(server, ping, () => Effect.never)
      yield* serve(server, statusV2, (_ssz, _peer, reply) => Effect.zipRight(reply.raw(Uint8Array.of(0)), Effect.never))
      const drip = encodeSuccessChunk(columnsProtocol, sidecar(2), digest)
      yield* serve(server, columnsProtocol, (_ssz, _peer, reply) =>
        Effect.gen(function* () {
          yield* reply.chunk(sidecar(1), digest)
          for (let index = 0; index < drip.length; index++) {
            yield* reply.raw(drip.subarray(index, index + 1))
            yield* Effect.sleep("20 millis")
          }
        })
      )
      const silent = yield* askUntilError(connection, pingRequest(1), { ...patient, firstByte: Duration.millis(300) })
      assert.include(silent.error, { _tag: "ProbeTimeout", stage: "firstChunk", afterMs: 300 })
      const stopped = yield* askUntilError(connection, statusRequest(status), {
        ...patient,
        chunk: Duration.millis(300)
      })
      assert.include(stopped.error, { _tag: "ProbeTimeout", stage: "body", afterMs: 300 })
      // Long enough for the first chunk, which is whole, and for the request.
      const chunk = scaled("700 millis")
      const dripping = yield* askUntilError(connection, columns, { ...patient, chunk })
      assert.strictEqual(dripping.chunks, 1)
      assert.include(dripping.error, { _tag: "ProbeTimeout", stage: "body", afterMs: Duration.toMillis(chunk) })
      const total = scaled("1 second")
      const slow = yield* askUntilError(connection, columns, { ...patient, total })
      assert.include(slow.error, { _tag: "ProbeTimeout", stage: "body", afterMs: Duration.toMillis(total) })
      yield* eventually(() => streamsOf(connection) === 0)
    })
  )

  it.scopedLive("reads no chunk that is larger than the blocks asked for have", () =>
    Effect.gen(function* () {
      const { server, connection } = yield* connect(muxer)
      const bomb = new Uint8Array(4096 * 2144 + 356)
      yield* serve(server, columnsProtocol, (_ssz, _peer, reply) =>
        Effect.zipRight(reply.chunk(sidecar(1), digest), Effect.forever(reply.chunk(bomb, digest)))
      )
      const allowed = { chunkBytes: noise.length, totalBytes: 4 * noise.length }
      const { chunks, error } = yield* askUntilError(connection, { ...columns, allowed })
      assert.strictEqual(chunks, 1)
      assert.strictEqual(error._tag, "MalformedResponse")
      assert.match(
        describeError(error),
        /8782180 bytes announced, the largest that a block asked for can have is 45380/
      )
      yield* eventually(() => streamsOf(connection) === 0)
    })
  )

  it.scopedLive("waits for a slow reader and blames nobody for it", () =>
    Effect.gen(function* () {
      const { server, connection } = yield* connect(muxer)
      const sent = yield* Ref.make(0)
      // The server has more patience than the reader takes, however far that is stretched.
      const limits = { ...defaultServeLimits, write: minute }
      const answer: Handler<never> = (_ssz, _peer, reply) =>
        Effect.forEach(
          Array.from({ length: 200 }, (_, index) => index),
          (index) =>
            Effect.zipRight(
              reply.chunk(sidecar(index), digest),
              Ref.update(sent, (n) => n + 1)
            ),
          { discard: true }
        )
      yield* serve(server, columnsProtocol, answer, limits)
      const chunk = scaled("1 second")
      const { chunks } = yield* request(connection, columns, { ...patient, chunk })
      const seen = yield* Ref.make(0)
      yield* Stream.runForEach(chunks, ({ ssz }) =>
        Effect.gen(function* () {
          const index = yield* Ref.getAndUpdate(seen, (n) => n + 1)
          assert.isTrue(equalBytes(ssz, sidecar(index)))
          // Longer than a chunk may take: our own time does not count.
          if (index === 3) yield* Effect.sleep(Duration.sum(chunk, Duration.millis(200)))
          if (index === 3 && muxer !== "mplex") assert.isBelow(yield* sent, 100)
        })
      )
      assert.strictEqual(yield* seen, 200)
    })
  )
})

describe.each(["yamux", "quic"] as const)("negotiation over %s", (muxer) => {
  it.scopedLive("sends each version its own body", () =>
    Effect.gen(function* () {
      const { server, connection } = yield* connect(muxer)
      yield* serve(server, statusV1, (ssz, _peer, reply) => reply.chunk(ssz))
      const [v1] = yield* ask(connection, statusRequest(status))
      assert.strictEqual(v1?.ssz.length, 84)
      yield* serve(server, statusV2, (ssz, _peer, reply) => reply.chunk(ssz))
      const [v2] = yield* ask(connection, statusRequest(status))
      assert.strictEqual(v2?.ssz.length, 92)
    })
  )

  it.scopedLive("says when the peer speaks none of the versions", () =>
    Effect.gen(function* () {
      const { connection } = yield* connect(muxer)
      const error = yield* Effect.flip(ask(connection, metadataRequest))
      assert.include(error, { _tag: "PeerRefused", reason: "unsupported_protocol" })
    })
  )

  it.scopedLive("ends at once on a connection that is gone", () =>
    Effect.gen(function* () {
      const { connection } = yield* connect(muxer)
      connection.abort(new Error("gone"))
      const error = yield* Effect.flip(ask(connection, pingRequest(1)))
      assert.include(error, { _tag: "PeerDisconnected", stage: "handshake" })
    })
  )
})

describe.each(["yamux", "quic"] as const)("serving over %s", (muxer) => {
  it.scopedLive("passes on what an error chunk says, after the chunks before it", () =>
    Effect.gen(function* () {
      const { server, connection } = yield* connect(muxer)
      yield* serve(server, columnsProtocol, (_ssz, _peer, reply) =>
        Effect.zipRight(reply.chunk(sidecar(0), digest), reply.error(3, "pruned"))
      )
      const { chunks, error } = yield* askUntilError(connection, columns)
      assert.strictEqual(chunks, 1)
      assert.include(error, { _tag: "ColumnsUnavailable", detail: "code 3: pruned" })
    })
  )

  it.scopedLive("gives an answer that was sent before a reset, while the request was sent", () =>
    Effect.gen(function* () {
      const { server, connection } = yield* connect(muxer)
      yield* Effect.promise(() =>
        server.handle(ping.id, (stream) => {
          stream.send(Uint8Array.of(139, 0))
          stream.addEventListener("message", () => stream.abort(new Error("no time")))
        })
      )
      // Over QUIC what was not read yet may be thrown away by a reset that comes right behind it (RFC 9000, 3.2).
      const asked = yield* Effect.replicateEffect(askUntilError(connection, pingRequest(1)), muxer === "quic" ? 5 : 1)
      const refused = asked.filter(({ error }) => error._tag === "PeerRefused" && error.reason === "rate_limited")
      assert.isNotEmpty(refused)
      const others = asked.filter(({ error }) => error._tag !== "PeerRefused")
      for (const { error } of others) assert.include(error, { _tag: "PeerDisconnected" })
    })
  )

  it.scopedLive("answers an unreadable request with code 1, and resets one that does not come", () =>
    Effect.gen(function* () {
      const { server, connection } = yield* connect(muxer)
      const asked = yield* Ref.make(0)
      yield* serve(server, ping, () => Ref.update(asked, (n) => n + 1), {
        ...defaultServeLimits,
        request: Duration.millis(300)
      })
      const raw = (protocol: Protocol, bytes: Uint8Array, close: boolean) =>
        Effect.scoped(
          Effect.gen(function* () {
            const stream = yield* open((signal) => connection.newStream(protocol.id, { signal }), {
              writeTimeout: scaled("10 seconds")
            })
            yield* stream.write(bytes)
            if (close) yield* stream.closeWrite
            return yield* readAll(stream)
          })
        )
      const junk = yield* raw(ping, Uint8Array.of(7, 1, 2, 3), true)
      assert.strictEqual(junk[0], 1)
      const trailing = yield* raw(ping, Uint8Array.from([...encodeRequest(ping, new Uint8Array(8)), 0]), true)
      assert.strictEqual(trailing[0], 1)
      const unfinished = yield* Effect.exit(raw(ping, encodeRequest(ping, new Uint8Array(8)), false))
      assert.isTrue(Exit.isFailure(unfinished))
      assert.strictEqual(yield* asked, 0)
    })
  )

  it.scopedLive("ends cleanly what it does not speak, and metadata needs no bytes", () =>
    Effect.gen(function* () {
      const { server, connection } = yield* connect(muxer)
      yield* serveNothing(server, columnsProtocol.id)
      assert.deepStrictEqual(yield* ask(connection, columns), [])
      yield* serve(server, metadataV3, (ssz, _peer, reply) => reply.chunk(new Uint8Array(25).fill(ssz.length)))
      const [metadata] = yield* ask(connection, metadataRequest)
      assert.strictEqual(metadata?.ssz.length, 25)
    })
  )

  it.scopedLive("hears a goodbye, and lets the peer know that it has: by the end of the stream", () =>
    Effect.gen(function* () {
      const { server, client, connection } = yield* connect(muxer)
      const heard = yield* Deferred.make<string>()
      yield* serve(server, goodbye, (ssz, peer) => Deferred.succeed(heard, `${peer} ${ssz[0]}`))
      assert.deepStrictEqual(yield* ask(connection, goodbyeRequest(129)), [])
      connection.abort(new Error("left"))
      assert.strictEqual(
        yield* Effect.timeout(Deferred.await(heard), scaled("10 seconds")),
        `${client.peerId.toString()} 129`
      )
    })
  )

  it.scopedLive("bounds the streams of a connection and of the protocol", () =>
    Effect.gen(function* () {
      const { server, connection } = yield* connect(muxer)
      const limits = { ...defaultServeLimits, streamsPerConnection: 2, streams: 3 }
      yield* serve(server, ping, () => Effect.never, limits)
      const outcomes = yield* Effect.forEach(
        [1, 2, 3, 4],
        (index) => askUntilError(connection, pingRequest(index), { ...patient, firstByte: scaled("1 second") }),
        { concurrency: "unbounded" }
      )
      const count = (tag: RequestError["_tag"]): number => outcomes.filter(({ error }) => error._tag === tag).length
      assert.strictEqual(count("ProbeTimeout"), 2)
      assert.strictEqual(count("PeerDisconnected"), 2)
    })
  )

  it.scopedLive("serves a newcomer where one identity has taken all streams and asks nothing on them", () =>
    Effect.gen(function* () {
      const { server, connection } = yield* connect(muxer)
      yield* serve(server, ping, (_ssz, _peer, reply) => reply.chunk(new Uint8Array(8)), {
        ...defaultServeLimits,
        request: minute,
        streams: 4
      })
      const held = yield* Effect.forEach([1, 2, 3, 4], () =>
        open((signal) => connection.newStream(ping.id, { signal }), { writeTimeout: minute })
      )
      const closed = yield* Ref.make(0)
      yield* Effect.forEach(held, (stream) =>
        Effect.forkScoped(
          Effect.zipRight(
            stream.awaitClosed,
            Ref.update(closed, (n) => n + 1)
          )
        )
      )
      const newcomer = yield* makeNode({ agent: "newcomer/1", listen: [] })
      const theirs = yield* Effect.promise(() => newcomer.dial(server.getMultiaddrs()))
      assert.lengthOf(yield* ask(theirs, pingRequest(1)), 1)
      yield* eventually(Effect.map(Ref.get(closed), (count) => count === 1))
    })
  )

  it.scopedLive("stops with its scope: answers under way are interrupted, the protocol is gone", () =>
    Effect.gen(function* () {
      const { server, connection } = yield* connect(muxer)
      const scope = yield* Scope.make()
      const started = yield* Deferred.make<void>()
      const released = yield* Deferred.make<void>()
      yield* serve(server, ping, () =>
        Effect.zipRight(Deferred.succeed(started, undefined), Effect.never).pipe(
          Effect.ensuring(Deferred.succeed(released, undefined))
        )
      ).pipe(Scope.extend(scope))
      const asking = yield* Effect.fork(askUntilError(connection, pingRequest(1)))
      yield* Deferred.await(started)
      yield* Scope.close(scope, Exit.void)
      yield* Deferred.await(released)
      const { error } = yield* Fiber.join(asking)
      assert.strictEqual(error._tag, "PeerDisconnected")
      const after = yield* Effect.flip(ask(connection, pingRequest(1)))
      assert.include(after, { _tag: "PeerRefused", reason: "unsupported_protocol" })
    })
  )

  it.scopedLive("interrupts a handler whose peer has gone", () =>
    Effect.gen(function* () {
      const { server, connection } = yield* connect(muxer)
      const released = yield* Deferred.make<void>()
      yield* serve(server, ping, () => Effect.ensuring(Effect.never, Deferred.succeed(released, undefined)))
      yield* askUntilError(connection, pingRequest(1), { ...patient, firstByte: Duration.millis(300) })
      // By QUIC, who has asked all and gives up is known to be gone by what is written to it, or by its connection.
      if (muxer === "quic") connection.abort(new Error("gone"))
      yield* Effect.timeout(Deferred.await(released), scaled("10 seconds"))
    })
  )
})

const readAll = (stream: ByteStream) =>
  Effect.gen(function* () {
    const parts: Array<number> = []
    while (true) {
      const next = yield* stream.read(scaled("10 seconds"))
      if (next._tag === "None") return Uint8Array.from(parts)
      parts.push(...next.value)
    }
  })
