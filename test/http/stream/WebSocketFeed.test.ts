import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Fiber, Layer, Metric } from "effect"
import * as Metrics from "../../../src/domain/metrics/Metrics.ts"
import type { StreamLimits } from "../../../src/http/stream/StreamHub.ts"
import { HttpAddress, layer } from "../../../src/http/server/Server.ts"
import { connect, framesOf, get, raw, upgradeRequest } from "../Client.ts"
import { type FakeDasmon, makeFakeDasmon, peerOf, probeOf, statusOf } from "../FakeDasmon.ts"
import { eventually } from "../../Eventually.ts"
import { scaled } from "../../TimeLimits.ts"

const start = (fake: FakeDasmon, streams: Partial<StreamLimits> = {}) =>
  Layer.build(layer({ host: "127.0.0.1", port: 0, streams }).pipe(Layer.provide(fake.layer))).pipe(
    Effect.map(Context.get(HttpAddress))
  )

const tracked = (peerId: string, detail = "") =>
  ({ _tag: "NodeTracking", change: "tracked", detail, peer: peerOf(peerId), peerId }) as const

/** WebSockets that are open. */
const clients = Effect.map(Metric.value(Metrics.streamClients.of({ transport: "websocket" })), ({ value }) => value)

/** WebSockets that were cut. */
const cuts = Effect.map(Metric.value(Metrics.streamClientsCut.of({ transport: "websocket" })), ({ count }) => count)

describe("the event stream", () => {
  it.scopedLive("starts with a snapshot and goes on without a gap, however much happens meanwhile", () =>
    Effect.gen(function* () {
      const fake = yield* makeFakeDasmon()
      yield* fake.setPeers([peerOf("16Uiu2A")])
      const { url } = yield* start(fake)
      const total = 600
      const client = Effect.gen(function* () {
        const { next } = yield* connect(`${url}/ws`)
        const first = yield* next
        assert(first._tag === "Snapshot")
        started++
        assert.deepStrictEqual(first.peers, [peerOf("16Uiu2A")])
        let last = first.sequence
        while (last < total) {
          const event = yield* next
          assert(event._tag === "NodeTracking" || event._tag === "Sampling", event._tag)
          assert.strictEqual(event.sequence, last + 1)
          if (event._tag === "Sampling") assert.strictEqual(event.probe.bytes, event.sequence - 1)
          last = event.sequence
        }
        return first.sequence
      })
      let started = 0
      const clients: Array<Fiber.Fiber<number, unknown>> = []
      for (let index = 0; index < total; index++) {
        if (index % 150 === 0) clients.push(yield* Effect.forkScoped(client))
        yield* fake.publish(
          index % 2 === 0
            ? tracked(`peer ${index}`)
            : {
                _tag: "Sampling",
                probe: probeOf("16Uiu2A", { bytes: index }),
                conversation: "answered",
                coverage: null
              }
        )
        // Lets the sockets have their turn now and then.
        if (index % 20 === 0) yield* Effect.sleep("1 millis")
        if (index % 150 === 120) yield* eventually(() => started === clients.length)
      }
      const starts = yield* Effect.timeout(Fiber.joinAll(clients), scaled("20 seconds"))
      assert.isTrue(starts.every((sequence) => sequence > 0 && sequence < total))
    })
  )

  it.scoped("tells a client which events it has lost", () =>
    Effect.gen(function* () {
      const fake = yield* makeFakeDasmon(8)
      const { url } = yield* start(fake)
      const { next } = yield* connect(`${url}/ws`)
      assert.strictEqual((yield* next)._tag, "Snapshot")
      // Without a turn for the server in between, its queue of 8 keeps only the newest.
      yield* Effect.forEach([...Array(50).keys()], (n) => fake.publish(tracked(`peer ${n}`)), { discard: true })
      let expected = 1
      let lost = 0
      while (expected <= 50) {
        const message = yield* next
        if (message._tag === "Gap") {
          assert.strictEqual(message.from, expected)
          assert.isAtLeast(message.to, message.from)
          lost += message.to - message.from + 1
          expected = message.to + 1
        } else {
          assert(message._tag === "NodeTracking")
          assert.strictEqual(message.sequence, expected)
          expected++
        }
      }
      assert.isAbove(lost, 0)
    })
  )

  it.scopedLive("cuts a client that does not read, tells it why, and leaves the others alone", () =>
    Effect.gen(function* () {
      const fake = yield* makeFakeDasmon()
      const { port, url } = yield* start(fake, { patience: "50 millis" })
      const slow = yield* raw(port)
      yield* slow.send(upgradeRequest(port))
      yield* slow.more
      slow.socket.pause()
      const { next } = yield* connect(`${url}/ws`)
      yield* next
      yield* eventually(Effect.map(clients, (n) => n === 2))

      // More than the kernel's buffers for one connection and the 4 MiB together.
      const large = tracked("16Uiu2A", "x".repeat(256 * 1024))
      let sent = 0
      const before = yield* cuts
      while ((yield* cuts) === before && sent < 400) {
        const event = yield* fake.publish(large)
        const message = yield* next
        assert(message._tag === "NodeTracking")
        assert.strictEqual(message.sequence, event.sequence)
        sent++
        yield* Effect.sleep("1 millis")
      }
      assert.strictEqual(yield* cuts, before + 1)

      slow.socket.resume()
      yield* eventually(Effect.map(slow.received, (bytes) => bytes.subarray(-100).includes("too slow")))
      const frames = framesOf(yield* slow.received)
      const close = frames.at(-1)
      assert.strictEqual(close?.opcode, 8)
      assert.strictEqual(close?.payload.readUInt16BE(0), 1013)
      assert.match(close?.payload.subarray(2).toString() ?? "", /^too slow/)
      yield* fake.publish(tracked("16Uiu2B"))
      assert.propertyVal(yield* next, "peerId", "16Uiu2B")
    })
  )

  it.scopedLive("does not cut a client for one burst larger than the backlog", () =>
    Effect.gen(function* () {
      const fake = yield* makeFakeDasmon()
      const { url } = yield* start(fake, { backlogBytes: 64 * 1024 })
      const { next } = yield* connect(`${url}/ws`)
      yield* next
      const large = tracked("16Uiu2A", "x".repeat(32 * 1024))
      yield* Effect.forEach([...Array(100).keys()], () => fake.publish(large), { discard: true })
      for (let sequence = 1; sequence <= 100; sequence++) assert.propertyVal(yield* next, "sequence", sequence)
    })
  )

  it.scopedLive("beats while nothing happens", () =>
    Effect.gen(function* () {
      const fake = yield* makeFakeDasmon()
      const { url } = yield* start(fake, { heartbeat: "20 millis" })
      const { next } = yield* connect(`${url}/ws`)
      yield* next
      assert.deepStrictEqual(yield* next, { _tag: "Heartbeat", run: fake.run, sequence: 0 })
      yield* fake.publish({ _tag: "SystemSnapshot", status: statusOf({}) })
      let message = yield* next
      while (message._tag === "Heartbeat") message = yield* next
      assert.propertyVal(message, "sequence", 1)
      assert.deepStrictEqual(yield* next, { _tag: "Heartbeat", run: fake.run, sequence: 1 })
    })
  )

  it.scoped("refuses pages of other origins, bad handshakes and more sockets than it may have", () =>
    Effect.gen(function* () {
      const fake = yield* makeFakeDasmon()
      const { port, url } = yield* start(fake, { maxStreams: 2 })
      const attempt = (extra: ReadonlyArray<string>, edit: (request: string) => string = (request) => request) =>
        Effect.gen(function* () {
          const client = yield* raw(port)
          yield* client.send(edit(upgradeRequest(port, extra)))
          yield* client.more
          const answer = (yield* client.received).toString("latin1")
          if (!answer.startsWith("HTTP/1.1 101")) yield* client.ended.pipe(Effect.timeout(scaled("10 seconds")))
          return answer.slice(9, 12)
        })
      assert.strictEqual(yield* Effect.scoped(attempt(["Origin: http://evil.example"])), "403")
      assert.strictEqual(yield* Effect.scoped(attempt(["Origin: null"])), "403")
      assert.strictEqual(yield* Effect.scoped(attempt([`Origin: http://127.0.0.1:${port + 1}`])), "403")
      assert.strictEqual(yield* Effect.scoped(attempt([], (text) => text.replace("dGhl", "!"))), "426")
      assert.strictEqual(yield* Effect.scoped(attempt([], (text) => text.replace("/ws", "/status"))), "200")
      assert.strictEqual(yield* Effect.scoped(attempt([`Origin: http://127.0.0.1:${port}`])), "101")
      yield* eventually(Effect.map(clients, (n) => n === 0))

      yield* attempt([])
      yield* attempt([])
      assert.strictEqual(yield* Effect.scoped(attempt([])), "503")
      // A refusal that the client resets at once must not hurt either.
      const rude = yield* raw(port)
      yield* rude.send(upgradeRequest(port, ["Origin: http://evil.example"]))
      rude.socket.resetAndDestroy()
      assert.strictEqual((yield* get(`${url}/status`)).status, 200)
    })
  )

  it.scoped("ignores what clients send, and cuts those that send a lot", () =>
    Effect.gen(function* () {
      const fake = yield* makeFakeDasmon()
      const { url } = yield* start(fake)
      const { next, write } = yield* connect(`${url}/ws`)
      yield* next
      yield* write("hello")
      yield* fake.publish(tracked("16Uiu2A"))
      assert.propertyVal(yield* next, "sequence", 1)
      yield* write("x".repeat(1024 * 1024))
      const error = yield* Effect.flip(next).pipe(Effect.timeout(scaled("10 seconds")))
      assert.strictEqual(error._tag, "SocketError")
      yield* eventually(Effect.map(clients, (n) => n === 0))
    })
  )
})
