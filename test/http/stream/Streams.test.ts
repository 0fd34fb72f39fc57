import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Either, Exit, Fiber, Layer, Metric, type Scope as ScopeType, Scope } from "effect"
import * as Metrics from "../../../src/domain/metrics/Metrics.ts"
import { HttpAddress, layer } from "../../../src/http/server/Server.ts"
import type { StreamLimits } from "../../../src/http/stream/StreamHub.ts"
import type { StreamMessage } from "../../../src/http/stream/StreamMessage.ts"
import { Daemons } from "../../../src/runtime/Daemon.ts"
import { connect, connectEvents, get, raw, upgradeRequest } from "../Client.ts"
import { type FakeDasmon, makeFakeDasmon, peerOf, probeOf, statusOf, trappedProbe } from "../FakeDasmon.ts"
import { eventually } from "../../Eventually.ts"
import { scaled, scaledMs } from "../../TimeLimits.ts"

const peerA = "16Uiu2HAmSUYdtMsV74nupNNcEJefunDpPiDKjWiUU5PEvWo5Rt7g"
const peerB = "16Uiu2HAkzdsR6NDpGBTbzYiCpV6Cxp6jcB9jnrTnBEXUgXtLGmRz"

const start = (fake: FakeDasmon, streams: Partial<StreamLimits> = {}) =>
  Layer.build(layer({ host: "127.0.0.1", port: 0, streams }).pipe(Layer.provide(fake.layer))).pipe(
    Effect.map(Context.get(HttpAddress))
  )

const tracked = (peerId: string, detail = "") =>
  ({ _tag: "NodeTracking", change: "tracked", detail, peer: peerOf(peerId), peerId }) as const
const sampling = (peerId: string) =>
  ({ _tag: "Sampling", probe: probeOf(peerId), conversation: "answered", coverage: null }) as const
const status = { _tag: "SystemSnapshot", status: statusOf({}) } as const

const publish = (fake: FakeDasmon, count: number) =>
  Effect.forEach(Array.from({ length: count }), () => fake.publish(status), { discard: true })

type Next = Effect.Effect<StreamMessage, unknown>

/** The two kinds of streams, each as what gives one message after the other. */
const kinds: ReadonlyArray<
  readonly [path: string, open: (url: string, query: string) => Effect.Effect<Next, unknown, ScopeType.Scope>]
> = [
  ["/ws", (url, query) => Effect.map(connect(`${url}/ws${query}`), ({ next }) => next)],
  [
    "/events",
    (url, query) =>
      Effect.map(connectEvents(`${url}/events${query}`), ({ next }) => Effect.map(next, ({ message }) => message))
  ]
]

const take = (next: Next, count: number) =>
  Effect.timeout(Effect.all(Array.from({ length: count }, () => next)), scaled("20 seconds"))

/** A message in short: its numbers, or its tag. */
const short = (message: StreamMessage): number | string =>
  message._tag === "Gap"
    ? `${message.from}-${message.to}`
    : message._tag === "Heartbeat"
      ? `beat ${message.sequence}`
      : message._tag === "Snapshot"
        ? `snapshot ${message.sequence}`
        : message._tag === "Cut"
          ? message.reason
          : message.sequence

const shortly = (next: Next, count: number) => Effect.map(take(next, count), (messages) => messages.map(short))

const upTo = (last: number, first = 1) => Array.from({ length: last - first + 1 }, (_, index) => first + index)

describe.each(kinds)("%s", (path, open) => {
  it.scopedLive("goes on from a number: what is kept, then what comes, each once", () =>
    Effect.gen(function* () {
      const fake = yield* makeFakeDasmon()
      yield* publish(fake, 3000)
      const { url } = yield* start(fake)
      const publishing = yield* Effect.fork(
        Effect.repeatN(Effect.zipRight(publish(fake, 50), Effect.sleep("2 millis")), 39)
      )
      const clients = yield* Effect.forEach([20, 1500, 2999, 3000], (since) =>
        Effect.fork(
          Effect.gen(function* () {
            const next = yield* open(url, `?since=${since}&run=${fake.run}`)
            assert.deepStrictEqual(yield* next, { _tag: "Heartbeat", run: fake.run, sequence: since })
            assert.deepStrictEqual(yield* shortly(next, 5000 - since), upTo(5000, since + 1))
          }).pipe(Effect.scoped)
        )
      )
      yield* Fiber.join(publishing)
      yield* Fiber.joinAll(clients)
    })
  )

  it.scoped("tells what is not kept any more", () =>
    Effect.gen(function* () {
      const fake = yield* makeFakeDasmon(8)
      yield* publish(fake, 20)
      const { url } = yield* start(fake)
      const next = yield* open(url, "?since=2")
      assert.deepStrictEqual(yield* shortly(next, 10), ["beat 2", "3-12", ...upTo(20, 13)])
    })
  )

  it.scoped("begins anew for a client of another run", () =>
    Effect.gen(function* () {
      const fake = yield* makeFakeDasmon()
      yield* publish(fake, 7)
      const { url } = yield* start(fake)
      const ahead = yield* open(url, "?since=8")
      assert.deepStrictEqual(yield* shortly(ahead, 2), ["snapshot 7", "1-7"])
      const other = yield* open(url, "?since=3&run=00000000-0000-4000-8000-000000000000")
      assert.deepStrictEqual(yield* shortly(other, 2), ["snapshot 7", "1-7"])
      yield* publish(fake, 1)
      assert.deepStrictEqual([short(yield* ahead), short(yield* other)], [8, 8])
    })
  )

  it.scopedLive("gives each client what it wants, without calling the rest lost", () =>
    Effect.gen(function* () {
      const fake = yield* makeFakeDasmon()
      yield* fake.setPeers([peerOf(peerA), peerOf(peerB)])
      const { url } = yield* start(fake, { heartbeat: "100 millis" })
      const all = yield* open(url, "")
      const types = yield* open(url, "?types=Sampling,NodeTracking")
      const both = yield* open(url, `?types=Sampling&peer=${peerA}`)
      const peer = yield* open(url, `?peer=${peerB}`)
      const views = [yield* all, yield* types, yield* both, yield* peer].map((message) =>
        message._tag === "Snapshot" ? message.peers.map(({ peerId }) => peerId) : []
      )
      assert.deepStrictEqual(views, [[peerA, peerB], [peerA, peerB], [peerA], [peerB]])
      const bodies = [sampling(peerA), sampling(peerB), tracked(peerA), tracked(peerB), status, sampling(peerA), status]
      yield* Effect.forEach(bodies, fake.publish)
      // Until the heartbeat that says that everything was looked at.
      const heard = (next: Next) =>
        Effect.gen(function* () {
          const seen: Array<number | string> = []
          while (seen.at(-1) !== "beat 7") seen.push(short(yield* next))
          return seen.filter((one) => typeof one === "number" || !one.startsWith("beat"))
        }).pipe(Effect.timeout(scaled("20 seconds")))
      assert.deepStrictEqual(yield* heard(all), upTo(7))
      assert.deepStrictEqual(yield* heard(types), [1, 2, 3, 4, 6])
      assert.deepStrictEqual(yield* heard(both), [1, 6])
      assert.deepStrictEqual(yield* heard(peer), [2, 4])
      const late = yield* open(url, `?types=Sampling&peer=${peerA}&since=1`)
      assert.deepStrictEqual(yield* heard(late), [6])
    })
  )

  it.scoped("refuses parameters that it does not understand, each with a reason", () =>
    Effect.gen(function* () {
      const { port } = yield* start(yield* makeFakeDasmon())
      for (const [query, parameter] of [
        ["?types=Sampling,Nothing", "types"],
        ["?types=", "types"],
        ["?peer=nobody", "peer"],
        ["?since=-1", "since"],
        ["?since=1e3", "since"],
        ["?since=99999999999999999999", "since"],
        ["?since=", "since"],
        ["?since=1&since=2", "since"],
        ["?since=1&run=x", "run"],
        ["?run=00000000-0000-4000-8000-000000000000", "run"],
        ["?type=Sampling", "type"]
      ] as const) {
        const client = yield* raw(port)
        yield* client.send(upgradeRequest(port).replace("/ws", `${path}${query}`))
        yield* client.more
        const answer = (yield* client.received).toString()
        assert.match(answer, /^HTTP\/1.1 400 /, query)
        const body = JSON.parse(answer.slice(answer.indexOf("\r\n\r\n") + 4))
        assert.deepInclude(body, { _tag: "BadParameter", parameter })
        assert.isString(body.reason)
      }
    })
  )

  it.scopedLive("goes on after a defect while events are handed out: each comes once", () =>
    Effect.gen(function* () {
      const fake = yield* makeFakeDasmon()
      const { url } = yield* start(fake)
      const next = yield* open(url, "?since=0")
      yield* publish(fake, 2)
      assert.deepStrictEqual(yield* shortly(next, 3), ["beat 0", 1, 2])
      const { arm, probe } = trappedProbe(peerA)
      yield* fake.publish({ _tag: "Sampling", probe, conversation: "answered", coverage: null })
      yield* arm
      assert.deepStrictEqual(yield* shortly(next, 1), [3])
      yield* publish(fake, 3)
      assert.deepStrictEqual(yield* shortly(next, 3), [4, 5, 6])
      assert.strictEqual(yield* Effect.flatMap(Daemons, ({ failures }) => failures), 1)
    }).pipe(Effect.provide(Daemons.layer))
  )

  it.scopedLive("ends when it dies itself, says why, and is there for whoever comes back", () =>
    Effect.gen(function* () {
      const fake = yield* makeFakeDasmon()
      yield* publish(fake, 1)
      const { url } = yield* start(fake)
      const { arm, probe } = trappedProbe(peerA)
      yield* fake.publish({ _tag: "Sampling", probe, conversation: "answered", coverage: null })
      yield* arm
      const next = yield* open(url, "?since=0")
      const ending = yield* Effect.either(shortly(next, 2))
      assert.include(String(Either.merge(ending)), path === "/ws" ? "1011" : "a bug in the monitor")
      assert.strictEqual(yield* Effect.flatMap(Daemons, ({ failures }) => failures), 1)
      assert.deepStrictEqual(yield* shortly(yield* open(url, "?since=0"), 3), ["beat 0", 1, 2])
    }).pipe(Effect.provide(Daemons.layer))
  )

  it.scopedLive("gives a snapshot larger than the backlog to a client that reads slowly", () =>
    Effect.gen(function* () {
      const fake = yield* makeFakeDasmon()
      const address = `/ip4/127.0.0.1/${"x".repeat(4000)}`
      yield* fake.setPeers(upTo(2500).map((index) => peerOf(`peer ${index}`, { address })))
      const { port } = yield* start(fake, { patience: "10 millis", backlogBytes: 64 * 1024 })
      const slow = yield* raw(port)
      yield* slow.send(upgradeRequest(port).replace("/ws", path))
      for (let round = 0; round < 10; round++) {
        yield* slow.more
        slow.socket.pause()
        yield* Effect.sleep("30 millis")
        slow.socket.resume()
      }
      yield* publish(fake, 1)
      yield* eventually(Effect.map(slow.received, (bytes) => bytes.subarray(-10_000).includes("SystemSnapshot")))
      assert.isAbove((yield* slow.received).length, 10_000_000)
    })
  )
})

describe("/events", () => {
  it.scopedLive("is a stream of events that proxies leave alone, and lets a browser go on from where it was", () =>
    Effect.gen(function* () {
      const fake = yield* makeFakeDasmon()
      yield* publish(fake, 3)
      const { url } = yield* start(fake, { heartbeat: "50 millis" })
      const first = yield* connectEvents(`${url}/events?types=Sampling`)
      assert.strictEqual(first.status, 200)
      assert.strictEqual(first.headers["content-type"], "text/event-stream")
      assert.strictEqual(first.headers["cache-control"], "no-cache, no-transform")
      assert.strictEqual(first.headers["x-accel-buffering"], "no")
      assert.strictEqual(first.headers["x-content-type-options"], "nosniff")
      const snapshot = yield* first.next
      assert.deepStrictEqual([snapshot.id, snapshot.event], [`3@${fake.run}`, "Snapshot"])
      yield* fake.publish(sampling(peerA))
      yield* fake.publish(status)
      // Also what it does not want moves it on.
      let { id } = yield* first.next
      while (id !== `5@${fake.run}`) id = (yield* first.next).id
      first.response.destroy()

      yield* fake.publish(sampling(peerB))
      const second = yield* connectEvents(`${url}/events?types=Sampling&since=1`, { "last-event-id": id })
      assert.deepStrictEqual((yield* second.next).message, { _tag: "Heartbeat", run: fake.run, sequence: 5 })
      let missed = yield* second.next
      while (missed.event === "Heartbeat") missed = yield* second.next
      assert.deepStrictEqual([missed.id, missed.event], [`6@${fake.run}`, "Sampling"])

      // The program was started again meanwhile.
      const lost = yield* connectEvents(`${url}/events`, {
        "last-event-id": "2@00000000-0000-4000-8000-000000000000"
      })
      const restarted = (yield* lost.next).message
      assert(restarted._tag === "Snapshot")
      assert.strictEqual(short((yield* lost.next).message), `1-${restarted.sequence}`)
      const strange = yield* connectEvents(`${url}/events`, { "last-event-id": "something else" })
      assert.strictEqual((yield* strange.next).event, "Snapshot")
    })
  )

  it.scopedLive("cuts a client that does not read, tells it why, and leaves the others alone", () =>
    Effect.gen(function* () {
      const cuts = Effect.map(Metric.value(Metrics.streamClientsCut.of({ transport: "sse" })), ({ count }) => count)
      const fake = yield* makeFakeDasmon()
      const { url } = yield* start(fake, { patience: "50 millis" })
      const slow = yield* connectEvents(`${url}/events`)
      yield* slow.next
      slow.response.pause()
      const other = yield* connectEvents(`${url}/events`)
      yield* other.next
      const before = yield* cuts
      const large = tracked(peerA, "x".repeat(256 * 1024))
      for (let sent = 0; (yield* cuts) === before && sent < 400; sent++) {
        const event = yield* fake.publish(large)
        assert.propertyVal((yield* other.next).message, "sequence", event.sequence)
        yield* Effect.sleep("1 millis")
      }
      assert.strictEqual(yield* cuts, before + 1)
      slow.response.resume()
      let last = yield* slow.next
      let expected = 1
      while (last.message._tag !== "Cut") {
        assert.propertyVal(last.message, "sequence", expected++)
        last = yield* Effect.timeout(slow.next, scaled("20 seconds"))
      }
      assert.deepStrictEqual([last.id, last.event], [undefined, "Cut"])
      assert.match(last.message.reason, /^too slow/)
      yield* Effect.timeout(Effect.ignore(Effect.flip(slow.next)), scaled("20 seconds"))
      yield* fake.publish(status)
      assert.strictEqual((yield* other.next).event, "SystemSnapshot")
    })
  )

  it.scoped("says that it is stopping, and holds nothing up", () =>
    Effect.gen(function* () {
      const fake = yield* makeFakeDasmon()
      const scope = yield* Scope.make()
      const { url } = yield* start(fake).pipe(Scope.extend(scope))
      const client = yield* connectEvents(`${url}/events`)
      yield* client.next
      const began = performance.now()
      yield* Scope.close(scope, Exit.void)
      assert.isBelow(performance.now() - began, scaledMs("1 second"))
      assert.deepStrictEqual((yield* client.next).message, { _tag: "Cut", reason: "the monitor is stopping" })
    })
  )

  it.scoped("answers HEAD without an end that never comes, and only one request of a connection", () =>
    Effect.gen(function* () {
      const fake = yield* makeFakeDasmon()
      const { port } = yield* start(fake)
      const head = yield* raw(port)
      yield* head.send(`HEAD /events HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n\r\n`)
      yield* head.ended.pipe(Effect.timeout(scaled("10 seconds")))
      assert.match((yield* head.received).toString(), /^HTTP\/1.1 200 [^]*text\/event-stream/)
      const rude = yield* raw(port)
      yield* rude.send(`GET /events HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`.repeat(2000))
      yield* rude.more
      yield* publish(fake, 1)
      const text = yield* eventually(
        Effect.map(rude.received, (bytes) => bytes.includes("event: SystemSnapshot") && bytes.toString())
      )
      assert.strictEqual(text.split("HTTP/1.1 ").length, 2)
    })
  )
})

describe("streams of both kinds", () => {
  it.scoped("are limited together, and give their place back", () =>
    Effect.gen(function* () {
      const { url } = yield* start(yield* makeFakeDasmon(), { maxStreams: 2 })
      yield* Effect.flatMap(connect(`${url}/ws`), ({ next }) => next)
      yield* Effect.gen(function* () {
        yield* Effect.flatMap(connectEvents(`${url}/events`), ({ next }) => next)
        const refused = yield* get(`${url}/events`)
        assert.strictEqual(refused.status, 503)
        assert.deepStrictEqual(JSON.parse(refused.text), { _tag: "TooManyStreams", limit: 2 })
        assert.strictEqual(
          (yield* Effect.flip(Effect.flatMap(connect(`${url}/ws`), ({ next }) => next)))._tag,
          "SocketError"
        )
      }).pipe(Effect.scoped)
      const another = Effect.flatMap(connect(`${url}/ws`), ({ next }) => next)
      yield* eventually(Effect.scoped(another))
    })
  )
})
