import { assert, describe, it } from "@effect/vitest"
import type { Connection } from "@libp2p/interface"
import { multiaddr } from "@multiformats/multiaddr"
import { Chunk, Effect, Fiber, Option, Ref, Stream } from "effect"
import type { Host } from "../../../src/host/Host.ts"
import { make } from "../../../src/host/libp2p/Libp2pHost.ts"
import { open } from "../../../src/wire/ByteStream.ts"
import { request, type RequestLimits } from "../../../src/wire/Client.ts"
import { metadataRequest, pingRequest, type StatusMessage, statusRequest } from "../../../src/wire/Handshake.ts"
import type { RequestMessage } from "../../../src/wire/Message.ts"
import type { Node } from "../../../src/wire/Node.ts"
import { eventually } from "../../Eventually.ts"
import { scaled } from "../../TimeLimits.ts"
import { listenOn, strangerOn, transports } from "./Nodes.ts"

const status: StatusMessage = {
  forkDigest: "0x8c9f62fe",
  finalizedRoot: `0x${"cd".repeat(32)}`,
  finalizedEpoch: 36,
  headRoot: `0x${"ab".repeat(32)}`,
  headSlot: 1234,
  earliestAvailableSlot: 1234
}

const dial = (node: Node, host: Host["Type"]) =>
  Effect.promise(() =>
    node.dial(
      host.multiaddrs.map((address) => multiaddr(address)),
      { force: true }
    )
  )

const asking = (method: string): RequestMessage => ({
  protocols: [
    {
      protocol: {
        id: `/eth2/beacon_chain/req/${method}/ssz_snappy`,
        request: { min: 0, max: 4096 },
        response: { min: 0, max: 4096 },
        context: true,
        maxChunks: 1
      },
      body: new Uint8Array(24)
    }
  ]
})

const limits: RequestLimits = {
  open: scaled("5 seconds"),
  firstByte: scaled("5 seconds"),
  chunk: scaled("5 seconds"),
  total: scaled("20 seconds")
}

/** How many chunks came, of an answer that ends cleanly. */
const ask = (connection: Connection, message: RequestMessage) =>
  Effect.scoped(
    Effect.flatMap(request(connection, message, limits), ({ chunks }) =>
      Effect.map(Stream.runCollect(chunks), Chunk.size)
    )
  )

/** Opens a stream on which nothing is asked; tells whether it is still open. */
const holdOpen = (connection: Connection) =>
  Effect.gen(function* () {
    const stream = yield* open((signal) => connection.newStream(pingId, { signal, maxOutboundStreams: 100 }), {
      writeTimeout: "10 seconds"
    })
    const closed = yield* Effect.forkScoped(stream.awaitClosed)
    return Effect.map(Fiber.poll(closed), Option.isNone)
  })
const pingId = "/eth2/beacon_chain/req/ping/1/ssz_snappy"

const openOf = (held: ReadonlyArray<Effect.Effect<boolean>>) =>
  Effect.map(Effect.all(held), (all) => all.filter((isOpen) => isOpen).length)

describe.each(transports)("what peers ask of us over %s", (transport) => {
  const stranger = strangerOn(transport)
  const makeHost = make({ version: "1.2.3", status: Effect.succeed(status), listen: listenOn(transport) })

  it.scopedLive("has a clean and empty answer where we have nothing, in every version", () =>
    Effect.gen(function* () {
      const host = yield* makeHost
      for (const methods of [
        ["beacon_blocks_by_range/1", "beacon_blocks_by_range/2", "beacon_blocks_by_root/1", "beacon_blocks_by_root/2"],
        ["blob_sidecars_by_range/1", "blob_sidecars_by_root/1"],
        ["data_column_sidecars_by_range/1", "data_column_sidecars_by_root/1"],
        ["execution_payload_envelopes_by_range/1", "execution_payload_envelopes_by_root/1"]
      ]) {
        const connection = yield* dial(yield* stranger, host)
        for (const method of methods) assert.strictEqual(yield* ask(connection, asking(method)), 0, method)
      }
    })
  )

  it.scopedLive("is answered a few times a second, however it is asked; and at once where it must be", () =>
    Effect.gen(function* () {
      const host = yield* makeHost
      const connection = yield* dial(yield* stranger, host)
      const answers = yield* Ref.make(0)
      const eager = (method: string) =>
        Effect.forever(
          Effect.zipRight(
            ask(connection, asking(method)),
            Ref.update(answers, (count) => count + 1)
          )
        )
      const methods = ["beacon_blocks_by_range/2", "blob_sidecars_by_range/1", "data_column_sidecars_by_root/1"]
      const begin = performance.now()
      const lodestar = yield* Effect.fork(
        Effect.all([...methods, ...methods].map(eager), { concurrency: "unbounded", discard: true })
      )
      // Two of each at once, as the specification allows, and each asked again as soon as it is answered.
      yield* eventually(Effect.map(Ref.get(answers), (count) => count >= 20))
      for (const message of [statusRequest(status), pingRequest(1), metadataRequest]) {
        const before = yield* Ref.get(answers)
        assert.strictEqual(yield* ask(connection, message), 1)
        assert.isBelow((yield* Ref.get(answers)) - before, 20)
      }
      const count = yield* Ref.get(answers)
      const seconds = (performance.now() - begin) / 1000
      assert.isNull(lodestar.unsafePoll(), "none of them was reset")
      // Six at once, then six streams that wait for a second each, at least.
      assert.isBelow(count, 6 + 6 * (seconds + 1))
      yield* Fiber.interrupt(lodestar)
    })
  )

  it.scopedLive("has few streams for one identity, over all of its connections, and room for another", () =>
    Effect.gen(function* () {
      const host = yield* makeHost
      const hostile = yield* stranger
      const connections = [yield* dial(hostile, host), yield* dial(hostile, host), yield* dial(hostile, host)]
      const held = []
      for (const connection of connections) {
        for (let times = 0; times < 3; times++) held.push(yield* holdOpen(connection))
      }
      yield* eventually(Effect.map(openOf(held), (open) => open === 4))
      const honest = yield* dial(yield* stranger, host)
      assert.strictEqual(yield* ask(honest, pingRequest(1)), 1)
      // What is asked on none of them is not waited for without end.
      yield* eventually(Effect.map(openOf(held), (open) => open === 0))
      // Of several the newest counts, and the others go when nothing is asked on them.
      const last = connections.at(-1)
      if (last !== undefined) assert.strictEqual(yield* ask(last, pingRequest(1)), 1)
    })
  )
})
