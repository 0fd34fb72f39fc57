import { assert, describe, it } from "@effect/vitest"
import { Context, type Duration, Effect, Layer, Queue, Stream } from "effect"
import type { ServerResponse } from "node:http"
import type { ChainEvent } from "../../../src/domain/network/Block.ts"
import { BeaconApi } from "../../../src/host/beacon-api/BeaconApi.ts"
import { headerRoot } from "../../../src/host/beacon-api/BeaconBlock.ts"
import { devnet } from "./Chain.ts"
import { fakeNode, json } from "./FakeNode.ts"
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
  readonly events: (response: ServerResponse) => void
}) =>
  Effect.gen(function* () {
    const current = { head: makeHead(100, zero), variant: 0, finalizedEpoch: 1 }
    const node = yield* fakeNode({
      handle: (path, _, response) => {
        if (path.startsWith("/eth/v1/events")) options.events(response)
        else if (path.endsWith("/genesis")) {
          json(response, {
            data: { genesis_time: "0", genesis_validators_root: zero, genesis_fork_version: "0x00000000" }
          })
        } else if (path.endsWith("/spec")) json(response, { data: { SLOT_DURATION_MS: String(options.slotMs) } })
        else if (path.includes("finality")) {
          json(response, { data: { finalized: { epoch: String(current.finalizedEpoch), root: zero } } })
        } else {
          json(response, {
            data: {
              root: zero,
              header: {
                message: {
                  slot: String(current.head.slot),
                  proposer_index: String(current.variant),
                  parent_root: current.head.parentRoot,
                  state_root: zero,
                  body_root: zero
                }
              }
            }
          })
        }
        return true
      }
    })
    const api = yield* Effect.map(
      Layer.build(BeaconApi.layer({ url: node.url, idle: options.idle ?? "1 minute" })),
      Context.get(BeaconApi)
    )
    const queue = yield* Queue.unbounded<ChainEvent>()
    yield* Effect.forkScoped(Stream.runForEach(api.events, (event) => queue.offer(event)))
    return { current, next: Effect.timeout(queue.take, scaled("20 seconds")), node, queue }
  })

const stream = (response: ServerResponse): void => {
  response.writeHead(200, { "content-type": "text/event-stream" })
  response.flushHeaders()
}

const head = ({ root, slot }: FakeHead): ChainEvent => ({ _tag: "Head", head: { slot, root } })
const finalized = (epoch: number): ChainEvent => ({ _tag: "Finalized", epoch, root: zero })

describe("chain events", () => {
  it.scopedLive("start with the head, follow the node, and survive whatever breaks the connection", () =>
    Effect.gen(function* () {
      const connections: Array<ServerResponse> = []
      const { current, next, node } = yield* start({
        slotMs: 12_000,
        events: (response) => {
          stream(response)
          connections.push(response)
        }
      })
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
      connections[1]?.write(message("head", { slot: "nonsense" }))
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
