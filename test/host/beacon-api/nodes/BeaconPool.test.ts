import { assert } from "@effect/vitest"
import { Context, Effect, Layer, Option, Queue, Stream, TestContext } from "effect"
import type { ApiHabit } from "../../../../src/devnet/api/ApiHabit.ts"
import type { ChainEvent } from "../../../../src/domain/network/Block.ts"
import { BeaconApi, type BeaconApiOptions } from "../../../../src/host/beacon-api/BeaconApi.ts"
import { Doubts } from "../../../../src/runtime/Doubts.ts"
import { eventually } from "../../../Eventually.ts"
import { shared } from "../../../Shared.ts"
import { scaled } from "../../../TimeLimits.ts"
import { devnet, serveAgain, SharedChain } from "../Chain.ts"
import { fakeNode, json } from "../FakeNode.ts"

const start = (options: BeaconApiOptions) =>
  Effect.map(
    Layer.build(
      BeaconApi.layer({ lookInterval: "200 millis", timeout: "5 seconds", ...options }).pipe(
        Layer.provideMerge(Doubts.layer)
      )
    ),
    (context) => ({ api: Context.get(context, BeaconApi), doubts: Context.get(context, Doubts) })
  )

const conditions = (api: BeaconApi["Type"]) =>
  Effect.map(api.nodes, (nodes) => nodes.map(({ condition, inUse }) => (inUse ? `${condition}*` : condition)))

const until = (api: BeaconApi["Type"], expected: ReadonlyArray<string>) =>
  eventually(Effect.map(conditions(api), (now) => assert.deepStrictEqual(now, expected)))

shared("several beacon nodes", SharedChain.layer, (it) => {
  it.live("are asked in their order; when the first dies the second is followed, until the first is back", () =>
    Effect.gen(function* () {
      const { state, url } = yield* SharedChain
      const first = yield* fakeNode({ upstream: url, handle: () => false })
      const second = yield* fakeNode({ upstream: url, handle: () => false })
      const { api, doubts } = yield* start({ url: [first.url, second.url] })
      assert.deepStrictEqual(
        (yield* api.nodes).map(({ name, role }) => [name, role]),
        [
          [first.url, "main"],
          [second.url, "main"]
        ]
      )
      yield* until(api, ["well*", "well"])
      const isBlock = (path: string) => path.includes("blocks")
      yield* api.blocks({ start: 60, end: 63 })
      assert.isFalse(second.asked.some(isBlock))

      yield* first.stop
      // What is asked for at that moment is had from the second one.
      assert.strictEqual((yield* api.head).root, state.head.root)
      assert.isNotEmpty(yield* api.blocks({ start: 60, end: 63 }))
      assert.isTrue(second.asked.some(isBlock))
      yield* until(api, ["unreachable", "well*"])
      const [gone] = yield* api.nodes
      assert.match(gone?.reason ?? "", /ECONNREFUSED/)
      assert.strictEqual(gone?.headSlot, state.head.slot)

      yield* fakeNode({ upstream: url, handle: () => false, port: first.port })
      yield* until(api, ["well*", "well"])
      assert.deepStrictEqual(yield* doubts.all, [])
    })
  )

  it.live("do not wait at the start for one that is silent, and ask the others for their genesis once", () =>
    Effect.gen(function* () {
      const { chain, url } = yield* SharedChain
      const first = yield* fakeNode({ upstream: url, handle: () => false })
      const second = yield* fakeNode({ upstream: url, handle: () => false })
      const silent = yield* fakeNode({ handle: () => true })
      // It waits with the clock of the test, which stands still.
      const { api } = yield* Effect.provide(
        start({ url: [first.url, second.url, silent.url] }),
        TestContext.TestContext
      )
      assert.deepStrictEqual(api.chain, chain.parameters)
      assert.strictEqual((yield* conditions(api))[0], "well*")
      yield* eventually(() => second.asked.some((path) => path.includes("finality_checkpoints")))
      // At the start, and when it is looked at.
      assert.isAtMost(second.asked.filter((path) => path.endsWith("/genesis")).length, 2)
    })
  )

  for (const [habit, condition, reason] of [
    ["syncing", "syncing", /it is syncing \(64 slots behind\)/],
    ["optimistic", "optimistic", /has not verified the head/]
  ] as const satisfies ReadonlyArray<readonly [ApiHabit, string, RegExp]>) {
    it.live(`are not trusted when ${habit}: the first is passed over, and alone it tells nothing`, () =>
      Effect.gen(function* () {
        const { chain, state, url } = yield* SharedChain
        const first = yield* serveAgain(chain, habit)
        const { api } = yield* start({ url: [first, url] })
        yield* until(api, [condition, "well*"])
        assert.strictEqual((yield* api.head).root, state.head.root)
        const alone = yield* start({ url: first })
        yield* until(alone.api, [condition])
        assert.match((yield* Effect.flip(alone.api.head)).message, reason)
        const { message, proven } = yield* Effect.flip(alone.api.blocks({ start: 60, end: 63 }))
        assert.match(message, reason)
        assert.deepStrictEqual(proven, [])
      })
    )
  }

  it.live("are not trusted while their execution client is offline, and are when it is back", () =>
    Effect.gen(function* () {
      const { url } = yield* SharedChain
      let isOffline = true
      const first = yield* fakeNode({
        upstream: url,
        handle: (path, _, response) => {
          if (!path.endsWith("/syncing")) return false
          json(response, {
            data: {
              head_slot: "128",
              sync_distance: "0",
              is_syncing: false,
              is_optimistic: false,
              el_offline: isOffline
            }
          })
          return true
        }
      })
      const { api } = yield* start({ url: [first.url, url] })
      yield* until(api, ["execution_offline", "well*"])
      isOffline = false
      yield* until(api, ["well*", "well"])
    })
  )

  it.live("are not asked when they are of another network, or of other parameters", () =>
    Effect.gen(function* () {
      const { url } = yield* SharedChain
      const other = yield* devnet({ epochs: 1, seed: 9 })
      const outdated = yield* fakeNode({
        upstream: url,
        handle: (path, _, response) => {
          if (path !== "/eth/v1/config/spec") return false
          json(response, { data: { SECONDS_PER_SLOT: "3600", FULU_FORK_EPOCH: "9", FULU_FORK_VERSION: "0x09090909" } })
          return true
        }
      })
      const { api } = yield* start({ url: [url, other.url, outdated.url] })
      yield* until(api, ["well*", "other_network", "other_parameters"])
    })
  )

  it.live("are passed over when their head is far behind", () =>
    Effect.gen(function* () {
      const { chain, state, url } = yield* SharedChain
      const old = [...state.canonical.values()].find(({ slot }) => slot > 64)?.root
      const late = yield* fakeNode({
        upstream: url,
        handle: (path) => (path.endsWith("/headers/head") ? `/eth/v1/beacon/headers/${old}` : false)
      })
      const { api } = yield* start({ url: [late.url, url], chain: chain.parameters })
      yield* until(api, ["behind", "well*"])
      assert.strictEqual((yield* api.head).root, state.head.root)
    })
  )

  it.live("that have finalized different blocks put an end to all accusations, until they agree", () =>
    Effect.gen(function* () {
      const { chain, url } = yield* SharedChain
      const forked = yield* serveAgain(chain, "forked")
      let upstream = forked
      const second = yield* fakeNode({
        upstream: url,
        handle: (path, _, response) => {
          if (!path.includes("finality_checkpoints") || upstream === url) return false
          void fetch(`${upstream}${path}`)
            .then((answer) => answer.json())
            .then((body) => json(response, body))
          return true
        }
      })
      const { api, doubts } = yield* start({ url: [url, second.url] })
      assert.strictEqual((yield* api.head).slot, (yield* chain.state).head.slot)
      const forbids = yield* eventually(Effect.flatMap(doubts.forbids, (sentence) => sentence))
      assert.match(forbids, /^the beacon nodes 1 and 2 have finalized different blocks/)
      assert.notInclude(forbids, "127.0.0.1")
      assert.deepStrictEqual(yield* doubts.all, [forbids])
      upstream = url
      yield* eventually(Effect.map(doubts.all, (all) => assert.deepStrictEqual(all, [])))
    })
  )

  it.live("are followed one after the other by the events, and a gap in between is closed", () =>
    Effect.gen(function* () {
      const { chain, state, url } = yield* devnet({ epochs: 3 })
      const first = yield* fakeNode({
        upstream: url,
        handle: (path, _, response) => {
          if (!path.startsWith("/eth/v1/events")) return false
          response.writeHead(200, { "content-type": "text/event-stream" })
          response.flushHeaders()
          return true
        }
      })
      const { api } = yield* start({ url: [first.url, url], idle: "1 minute" })
      const queue = yield* Queue.unbounded<ChainEvent>()
      yield* Effect.forkScoped(Stream.runForEach(api.events, (event) => queue.offer(event)))
      const next = Effect.timeout(queue.take, scaled("20 seconds"))
      assert.deepStrictEqual(yield* next, { _tag: "Head", head: { slot: state.head.slot, root: state.head.root } })
      assert.strictEqual((yield* next)._tag, "Finalized")
      // The stream of the first stays silent, and it dies.
      const { newHead } = yield* chain.reorg(3)
      yield* first.stop
      assert.strictEqual((yield* next)._tag, "Reorg")
      assert.deepStrictEqual(yield* next, { _tag: "Head", head: { slot: newHead.slot, root: newHead.root } })
      yield* until(api, ["unreachable", "well*"])
      const { newHead: newer } = yield* Effect.delay(chain.reorg(2), "1 second")
      assert.strictEqual((yield* next)._tag, "Reorg")
      assert.deepStrictEqual(yield* next, { _tag: "Head", head: { slot: newer.slot, root: newer.root } })
    })
  )

  it.live("need not answer at the start where the network is known, and are used when they do", () =>
    Effect.gen(function* () {
      const { chain, state, url } = yield* SharedChain
      const node = yield* fakeNode({ upstream: url, handle: () => false })
      yield* node.stop
      const { api, doubts } = yield* start({ url: node.url, chain: chain.parameters, fallbackUrl: node.url })
      assert.deepStrictEqual(api.chain, chain.parameters)
      assert.include((yield* Effect.flip(api.head)).message, "ECONNREFUSED")
      assert.deepStrictEqual(yield* conditions(api), ["unreachable", "unreachable"])
      const doubt = yield* eventually(Effect.flatMap(doubts.forbids, (sentence) => sentence))
      assert.strictEqual(
        doubt,
        "no beacon node can be used (1: not reached; backfill: not reached): peers are kept, and nobody is probed or " +
          "judged until one can; /status says more"
      )
      yield* fakeNode({ upstream: url, handle: () => false, port: node.port })
      yield* until(api, ["well*", "well"])
      assert.strictEqual((yield* api.head).root, state.head.root)
      yield* eventually(Effect.map(doubts.forbids, (now) => assert.isTrue(Option.isNone(now))))
    })
  )

  it.live("that are all no beacon nodes end the start with what is wrong; one that may come is waited for", () =>
    Effect.gen(function* () {
      const { chain, url } = yield* SharedChain
      const wrong = yield* fakeNode({ handle: () => false })
      const error = yield* Effect.flip(start({ url: wrong.url }))
      assert.include(error.message, "HTTP 404: is this a beacon node's API?")
      const down = yield* fakeNode({ upstream: url, handle: () => false })
      yield* down.stop
      const waiting = yield* Effect.fork(start({ url: [wrong.url, down.url] }))
      yield* eventually(Effect.sync(() => assert.isAbove(wrong.asked.length, 3)))
      yield* fakeNode({ upstream: url, handle: () => false, port: down.port })
      const { api } = yield* waiting
      assert.deepStrictEqual(api.chain, chain.parameters)
      yield* until(api, ["unusable", "well*"])
    })
  )
})
