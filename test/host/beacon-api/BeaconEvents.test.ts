import { assert, describe, it } from "@effect/vitest"
import { Context, type Duration, Effect, Layer, Logger, LogLevel, Queue, Stream } from "effect"
import type { ServerResponse } from "node:http"
import type { ChainEvent } from "../../../src/domain/network/Block.ts"
import { BeaconApi } from "../../../src/host/beacon-api/BeaconApi.ts"
import { headerRoot } from "../../../src/host/beacon-api/BeaconBlock.ts"
import { devnet } from "./Chain.ts"
import { fakeNode, json } from "./FakeNode.ts"
import { eventually } from "../../Eventually.ts"
import { scaled } from "../../TimeLimits.ts"

const zero = `0x${"00".repeat(32)}`

interface FakeHead {
  readonly slot: number
  readonly root: string
  readonly parentRoot: string
}

/** A header at `slot`; `variant` makes another one. */
const makeHead = (slot: number, parentRoot: string, variant = 0): FakeHead => ({
  slot,
  parentRoot,
  root: headerRoot({
    slot,
    proposerIndex: variant,
    parentRoot: Buffer.from(parentRoot.slice(2), "hex"),
    stateRoot: new Uint8Array(32),
    bodyRoot: new Uint8Array(32)
  })
})

const message = (event: string, data: unknown): string => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`
const headMessage = (head: FakeHead): string => message("head", { slot: String(head.slot), block: head.root })

/** A node that has nothing but a head, finality and events, each as the test wants it. */
const start = (options: {
  readonly slotMs: number
  readonly idle?: Duration.DurationInput
  readonly timeout?: Duration.DurationInput
  readonly events: (response: ServerResponse) => void
}) =>
  Effect.gen(function* () {
    const current = { head: makeHead(100, zero), variant: 0, finalizedEpoch: 1, isSilent: false, isOptimistic: false }
    const unanswered: Array<() => void> = []
    const node = yield* fakeNode({
      handle: (path, _, response) => {
        if (path.startsWith("/eth/v1/events")) options.events(response)
        else if (path.endsWith("/genesis")) {
          json(response, {
            data: { genesis_time: "0", genesis_validators_root: zero, genesis_fork_version: "0x00000000" }
          })
        } else if (path.endsWith("/spec")) json(response, { data: { SLOT_DURATION_MS: String(options.slotMs) } })
        else if (path.includes("finality")) {
          const finalized = { epoch: String(current.finalizedEpoch), root: zero }
          json(response, { execution_optimistic: current.isOptimistic, data: { finalized } })
        } else {
          const { head, isSilent, variant } = current
          const answer = () =>
            json(response, {
              execution_optimistic: current.isOptimistic,
              data: {
                root: zero,
                header: {
                  message: {
                    slot: String(head.slot),
                    proposer_index: String(variant),
                    parent_root: head.parentRoot,
                    state_root: zero,
                    body_root: zero
                  }
                }
              }
            })
          if (isSilent) unanswered.push(answer)
          else answer()
        }
        return true
      }
    })
    const api = yield* Effect.map(
      Layer.build(
        BeaconApi.layer({ url: node.url, idle: options.idle ?? "1 minute", timeout: options.timeout ?? "10 seconds" })
      ),
      Context.get(BeaconApi)
    )
    const queue = yield* Queue.unbounded<ChainEvent>()
    yield* Effect.forkScoped(Stream.runForEach(api.events, (event) => queue.offer(event)))
    return { current, next: Effect.timeout(queue.take, scaled("20 seconds")), node, queue, unanswered }
  })

const stream = (response: ServerResponse): void => {
  response.writeHead(200, { "content-type": "text/event-stream" })
  response.flushHeaders()
}

/** Streams that the test writes to and breaks, in the order in which they were asked for. */
const streams = () => {
  const connections: Array<ServerResponse> = []
  const events = (response: ServerResponse): void => {
    stream(response)
    connections.push(response)
  }
  return { connections, events }
}

const head = ({ root, slot }: FakeHead): ChainEvent => ({ _tag: "Head", head: { slot, root } })
const finalized = (epoch: number): ChainEvent => ({ _tag: "Finalized", epoch, root: zero })

/** Gives the test what is logged as a warning. */
const heeding = <A, E, R>(test: (logged: ReadonlyArray<string>) => Effect.Effect<A, E, R>) =>
  Effect.suspend(() => {
    const logged: Array<string> = []
    const logger = Logger.make(({ logLevel, message }) => {
      if (LogLevel.greaterThanEqual(logLevel, LogLevel.Warning)) logged.push(String(message))
    })
    return Effect.provide(test(logged), Logger.replace(Logger.defaultLogger, logger))
  })

describe("chain events", () => {
  it.scopedLive("start with the head, follow the node, and survive whatever breaks the connection", () =>
    Effect.gen(function* () {
      const { connections, events } = streams()
      const { current, next, node } = yield* start({ slotMs: 12_000, events })
      const first = current.head
      assert.deepStrictEqual(yield* next, head(first))
      assert.deepStrictEqual(yield* next, finalized(1))

      const second = makeHead(101, first.root)
      const text = `:\n\n${message("unheard_of", {})}${headMessage(second)}`
      connections[0]?.write(text.slice(0, 50))
      connections[0]?.write(text.slice(50))
      assert.deepStrictEqual(yield* next, head(second))
      connections[0]?.write(message("chain_reorg", { slot: "102", depth: "3" }))
      // From the ancestor of the older head to the newer one.
      assert.deepStrictEqual(yield* next, { _tag: "Reorg", slot: 102, depth: 5 })
      connections[0]?.write(message("finalized_checkpoint", { block: zero, state: zero, epoch: "2" }))
      assert.deepStrictEqual(yield* next, finalized(2))

      // It breaks, and in the meantime the head moves on by one: nothing was missed.
      current.head = makeHead(102, second.root)
      current.finalizedEpoch = 2
      connections[0]?.destroy()
      const third = current.head
      assert.deepStrictEqual(yield* next, head(third))

      // It breaks, and the new head is of a chain that is not known to hang on the last one.
      current.head = makeHead(110, zero, 7)
      current.variant = 7
      connections[1]?.destroy()
      assert.deepStrictEqual(yield* next, { _tag: "Reorg", slot: 110, depth: 110 - 64 + 1 })
      assert.deepStrictEqual(yield* next, head(current.head))

      // An event without end is no reason to fill the memory.
      const fourth = current.head
      current.head = makeHead(111, fourth.root, 7)
      connections[2]?.write(`data: ${"x".repeat(70_000)}`)
      assert.deepStrictEqual(yield* next, head(current.head))
      assert.strictEqual(node.asked.filter((path) => path.startsWith("/eth/v1/events")).length, 4)
    })
  )

  it.scopedLive("pass over an event that cannot be read, say so once, and know no less for it", () =>
    heeding((logged) =>
      Effect.gen(function* () {
        const { connections, events } = streams()
        const { current, next, node } = yield* start({ slotMs: 12_000, events })
        const first = current.head
        assert.deepStrictEqual([yield* next, yield* next], [head(first), finalized(1)])
        const tell = (event: string, data: unknown) => connections[0]?.write(message(event, data))

        // A depth that was computed below zero, of a head that is told of before and again.
        const second = makeHead(101, zero, 5)
        tell("head", { slot: "101", block: second.root })
        assert.deepStrictEqual(yield* next, head(second))
        current.head = second
        current.variant = 5
        tell("chain_reorg", { slot: "101", depth: "18446744073709551614" })
        assert.deepStrictEqual(yield* next, { _tag: "Reorg", slot: 101, depth: 101 - 32 + 1 })
        tell("chain_reorg", "what?")
        assert.deepStrictEqual(yield* next, { _tag: "Reorg", slot: 101, depth: 101 - 32 + 1 })
        tell("chain_reorg", { slot: "101", depth: "4294967294" })
        assert.deepStrictEqual(yield* next, { _tag: "Reorg", slot: 101, depth: 101 - 32 + 1 })

        // The head that it would have told is asked for.
        current.head = makeHead(102, second.root, 5)
        tell("head", { slot: "nonsense" })
        assert.deepStrictEqual(yield* next, head(current.head))
        current.finalizedEpoch = 2
        tell("finalized_checkpoint", { epoch: -1 })
        assert.deepStrictEqual(yield* next, finalized(2))
        assert.lengthOf(connections, 1)
        assert.deepStrictEqual(logged, [
          `GET http://127.0.0.1:${node.port}/eth/v1/events: a chain_reorg event that cannot be read ` +
            `({"slot":"101","depth":"18446744073709551614"}): it is passed over, and the head asked for`
        ])
      })
    )
  )

  it.scopedLive("go on while the node is silent about an event that could not be read", () =>
    Effect.gen(function* () {
      const { connections, events } = streams()
      const { current, next, unanswered } = yield* start({ slotMs: 12_000, timeout: "10 minutes", events })
      const first = current.head
      assert.deepStrictEqual([yield* next, yield* next], [head(first), finalized(1)])
      const tell = (event: string, data: unknown) => connections[0]?.write(message(event, data))
      current.isSilent = true
      tell("head", { slot: "nonsense" })
      tell("head", { slot: "nonsense" })
      const second = makeHead(101, first.root)
      tell("head", { slot: "101", block: second.root })
      assert.deepStrictEqual(yield* next, head(second))
      yield* eventually(Effect.sync(() => assert.isNotEmpty(unanswered)))
      const third = makeHead(102, second.root)
      tell("head", { slot: "102", block: third.root })
      assert.deepStrictEqual(yield* next, head(third))

      // What it says at last is older than what was told since, but for what is final.
      Object.assign(current, { head: second, finalizedEpoch: 2, isSilent: false })
      for (const answer of unanswered) answer()
      assert.deepStrictEqual(yield* next, finalized(2))
      const fourth = makeHead(103, third.root)
      tell("head", { slot: "103", block: fourth.root })
      assert.deepStrictEqual(yield* next, head(fourth))
    })
  )

  it.scopedLive("wait for an answer that begins with the first event, and ask for the head meanwhile", () =>
    heeding((logged) =>
      Effect.gen(function* () {
        const connections: Array<ServerResponse> = []
        const { current, next } = yield* start({
          slotMs: 500,
          timeout: "1 second",
          events: (response) => connections.push(response)
        })
        assert.deepStrictEqual([yield* next, yield* next], [head(current.head), finalized(1)])
        // Longer than any other answer may take.
        for (const slot of [101, 102, 103, 104, 105, 106]) {
          current.head = makeHead(slot, current.head.root)
          assert.deepStrictEqual(yield* next, head(current.head))
        }
        const [only] = connections
        const told = makeHead(107, current.head.root)
        only?.writeHead(200, { "content-type": "text/event-stream" })
        only?.write(headMessage(told))
        assert.deepStrictEqual(yield* next, head(told))
        assert.lengthOf(connections, 1)
        assert.deepStrictEqual(logged, [])
      })
    )
  )

  it.scopedLive("are no cause for alarm when slots are missed, but are when the head moves unheard", () =>
    heeding((logged) =>
      Effect.gen(function* () {
        const { connections, events } = streams()
        const { current, next } = yield* start({
          slotMs: 100,
          idle: "300 millis",
          events
        })
        assert.deepStrictEqual([yield* next, yield* next], [head(current.head), finalized(1)])
        yield* eventually(Effect.sync(() => connections.length > 2))
        assert.deepStrictEqual(logged, [])
        current.head = makeHead(101, current.head.root)
        assert.deepStrictEqual(yield* next, head(current.head))
      })
    )
  )

  it.scopedLive("are asked for anew when the node falls silent", () =>
    Effect.gen(function* () {
      const { current, next } = yield* start({ slotMs: 12_000, idle: "200 millis", events: stream })
      assert.deepStrictEqual(yield* next, head(current.head))
      assert.deepStrictEqual(yield* next, finalized(1))
      current.head = makeHead(101, current.head.root)
      assert.deepStrictEqual(yield* next, head(current.head))
    })
  )

  it.scopedLive("are made from the head of a node that has none", () =>
    Effect.gen(function* () {
      const { current, next } = yield* start({
        slotMs: 50,
        events: (response) => json(response, { code: 400, message: "no such topic" }, 400)
      })
      assert.deepStrictEqual(yield* next, head(current.head))
      assert.deepStrictEqual(yield* next, finalized(1))
      current.head = makeHead(101, current.head.root)
      assert.deepStrictEqual(yield* next, head(current.head))
      current.variant = 1
      current.head = makeHead(101, zero, 1)
      assert.deepStrictEqual(yield* next, { _tag: "Reorg", slot: 101, depth: 101 - 32 + 1 })
      assert.deepStrictEqual(yield* next, head(current.head))
    })
  )

  it.scopedLive("are read in the form of newer nodes, each head once", () =>
    Effect.gen(function* () {
      const { connections, events } = streams()
      const { current, next, node } = yield* start({ slotMs: 12_000, events })
      assert.deepStrictEqual([yield* next, yield* next], [head(current.head), finalized(1)])
      assert.include(node.asked.find((path) => path.startsWith("/eth/v1/events")) ?? "", "topics=head&topics=head_v2")
      const second = makeHead(101, current.head.root)
      const told = (payload: string) =>
        message("head_v2", {
          version: "gloas",
          data: { slot: "101", block: second.root, payload_status: payload, execution_optimistic: false }
        })
      connections[0]?.write(told("empty") + headMessage(second) + told("full"))
      assert.deepStrictEqual(yield* next, head(second))
      const third = makeHead(102, second.root)
      connections[0]?.write(message("head_v2", { version: "gloas", data: { slot: "102", block: third.root } }))
      assert.deepStrictEqual(yield* next, head(third))
    })
  )

  const refusals: ReadonlyArray<readonly [string, number, (topics: ReadonlyArray<string>) => boolean]> = [
    ["does not know head_v2", 400, (topics) => topics.includes("head_v2")],
    ["no longer knows head", 422, (topics) => topics.includes("head")],
    ["knows only a list of topics in one parameter", 400, (topics) => topics.length > 1]
  ]
  for (const [name, status, isRefused] of refusals) {
    it.scopedLive(`are had from a node that ${name} and refuses the whole subscription`, () =>
      heeding((logged) =>
        Effect.gen(function* () {
          const connections: Array<ServerResponse> = []
          const { current, next } = yield* start({
            slotMs: 12_000,
            events: (response) => {
              const { searchParams } = new URL(response.req.url ?? "", "http://node")
              if (isRefused(searchParams.getAll("topics"))) json(response, { code: status, message: "topic" }, status)
              else {
                stream(response)
                connections.push(response)
              }
            }
          })
          assert.deepStrictEqual([yield* next, yield* next], [head(current.head), finalized(1)])
          yield* eventually(Effect.sync(() => assert.lengthOf(connections, 1)))
          const second = makeHead(101, current.head.root)
          connections[0]?.write(message("head_v2", { data: { slot: "101", block: second.root } }))
          assert.deepStrictEqual(yield* next, head(second))
          assert.deepStrictEqual(logged, [])
        })
      )
    )
  }

  it.scopedLive("of a head that the execution client has not verified are passed over until it has", () =>
    heeding((logged) =>
      Effect.gen(function* () {
        const { connections, events } = streams()
        const { current, next } = yield* start({ slotMs: 300, idle: "1 minute", events })
        assert.deepStrictEqual([yield* next, yield* next], [head(current.head), finalized(1)])
        const second = makeHead(101, current.head.root)
        Object.assign(current, { head: second, isOptimistic: true, finalizedEpoch: 2 })
        const optimistic = { slot: "101", block: second.root, execution_optimistic: true }
        connections[0]?.write(message("head", optimistic))
        connections[0]?.write(message("head_v2", { version: "fulu", data: optimistic }))
        connections[0]?.write(message("finalized_checkpoint", { epoch: "2", block: zero, execution_optimistic: true }))
        connections[0]?.write(message("chain_reorg", { slot: "101", depth: "1" }))
        assert.deepStrictEqual(yield* next, { _tag: "Reorg", slot: 101, depth: 3 })
        current.isOptimistic = false
        assert.deepStrictEqual([yield* next, yield* next], [head(second), finalized(2)])
        assert.deepStrictEqual(logged, [])
      })
    )
  )

  it.scopedLive("tell of the blocks and reorgs of a devnet", () =>
    Effect.gen(function* () {
      const { chain, state, url } = yield* devnet({ epochs: 3 })
      const api = yield* Effect.map(Layer.build(BeaconApi.layer({ url })), Context.get(BeaconApi))
      const queue = yield* Queue.unbounded<ChainEvent>()
      yield* Effect.forkScoped(Stream.runForEach(api.events, (event) => queue.offer(event)))
      const next = Effect.timeout(queue.take, scaled("20 seconds"))
      assert.deepStrictEqual(yield* next, { _tag: "Head", head: { slot: state.head.slot, root: state.head.root } })
      assert.strictEqual((yield* next)._tag, "Finalized")
      const { newHead, blocks } = yield* Effect.delay(chain.reorg(4), "500 millis")
      const reorg = yield* next
      assert.strictEqual(reorg._tag, "Reorg")
      if (reorg._tag === "Reorg") {
        assert.isAtMost(reorg.slot - reorg.depth + 1, blocks[0]?.slot ?? 0)
        assert.isAtLeast(reorg.slot, state.head.slot)
      }
      assert.deepStrictEqual(yield* next, { _tag: "Head", head: { slot: newHead.slot, root: newHead.root } })
    })
  )
})
