import { assert, describe, it } from "@effect/vitest"
import { Clock, Duration, Effect, Layer, Option, Ref, TestClock } from "effect"
import { SlotSampling } from "../../src/availability/SlotSampling.ts"
import type { SlotSamplingOptions } from "../../src/availability/SamplingOptions.ts"
import { CommitmentCache } from "../../src/chain/CommitmentCache.ts"
import type { SlotVerdict } from "../../src/domain/availability/SlotVerdict.ts"
import type { Block } from "../../src/domain/network/Block.ts"
import { slotStart } from "../../src/domain/network/Chain.ts"
import { NotConnected } from "../../src/domain/probe/ProbeNow.ts"
import * as MemoryEventBus from "../../src/events/MemoryEventBus.ts"
import { History } from "../../src/history/store/History.ts"
import { Externs } from "../../src/host/Externs.ts"
import { Host } from "../../src/host/Host.ts"
import { LiveMatrix } from "../../src/matrix/LiveMatrix.ts"
import { Peers } from "../../src/peers/Peers.ts"
import { Doubts } from "../../src/runtime/Doubts.ts"
import { LoopLag } from "../../src/runtime/LoopLag.ts"
import { parameters } from "../gossip/Columns.ts"
import { rootOf } from "../history/store/Fixture.ts"
import { claimsOfAll, knownPeer, trackedPeer } from "../peers/FakePeers.ts"
import { layerSeeded } from "../Seeded.ts"

const every = Array.from({ length: 128 }, (_, column) => column)
const agents = ["Lighthouse/v8", "Prysm/v6", "teku/25", "Nimbus/v25", "Lodestar/v1"]
const first = 4000
const slotMs = parameters.slotDurationMs

const blockAt = (slot: number, more: Partial<Block> = {}): Block => ({
  slot,
  root: rootOf(slot),
  parentRoot: rootOf(slot - 1),
  fork: "fulu",
  commitments: [new Uint8Array(48)],
  signature: Option.none(),
  payload: "full",
  ...more
})

const usual: SlotSamplingOptions = {
  perSlot: true,
  samplesPerSlot: 8,
  sampleAt: Option.none(),
  deadline: Option.none(),
  custodyGroupCount: 4
}

/** Lets so many slots pass. */
const pass = (slots: number) => TestClock.adjust(Duration.millis(slots * slotMs))

/** Five supernodes, a chain that grows as a test wants it to, and what is recorded. */
const stage = Effect.gen(function* () {
  const blocks = new Map<number, Block>()
  const head = yield* Ref.make(first - 1)
  const recorded: Array<SlotVerdict> = []
  const asked: Array<{
    readonly peerId: string
    readonly slot: number
    readonly columns: ReadonlyArray<number>
    at: number
  }> = []
  const withheld = new Set<number>()
  const silent = new Set<string>()
  const peerIds = agents.map((_, index) => `peer ${index}`)
  const facts = (slot: number) => {
    const block = blocks.get(slot)
    return block === undefined ? ({ _tag: "Empty", slot } as const) : ({ _tag: "Block", block } as const)
  }
  const peers = Layer.mock(Peers, {
    isSentAway: () => false,
    views: () => [],
    passedOver: () => 0,
    tracked: Effect.sync(() =>
      peerIds.map((peerId, index) =>
        trackedPeer(peerId, {
          agent: Option.fromNullable(agents[index]),
          remoteAddress: Option.some(`/ip4/192.0.${index}.1/tcp/9000`)
        })
      )
    ),
    known: (peerId) =>
      Option.some(
        knownPeer(peerId, {
          agent: Option.fromNullable(agents[peerIds.indexOf(peerId)]),
          claims: Option.some(claimsOfAll(2 ** 30))
        })
      ),
    ask: (peerId, { columns, purpose, slot }) =>
      Effect.gen(function* () {
        const at = yield* Clock.currentTimeMillis
        asked.push({ peerId, slot, columns, at })
        yield* Effect.sleep("100 millis")
        if (silent.has(peerId)) {
          yield* Effect.sleep("10 seconds")
          return yield* new NotConnected({ peerId })
        }
        const present = columns.filter((column) => !withheld.has(column))
        return {
          probe: {
            id: "id",
            purpose,
            job: { peerId, startSlot: slot, count: 1, columns },
            startedAt: at,
            finishedAt: at + 100,
            timings: { open: 1, firstByte: 1, total: 100 },
            requests: 1,
            bytes: 1,
            outcomes: columns.map((column) => ({
              slot,
              column,
              outcome: present.includes(column) ? ("success" as const) : ("unverifiable" as const),
              blockRoot: facts(slot)._tag === "Block" ? (blocks.get(slot)?.root ?? "") : "",
              blobs: 1
            })),
            recovered: 0,
            findings: []
          },
          proven: present.map((column) => ({
            blockRoot: blocks.get(slot)?.root ?? "",
            column,
            fork: "fulu" as const,
            ssz: new Uint8Array()
          })),
          absent: columns.filter((column) => withheld.has(column))
        }
      })
  })
  const world = Layer.mergeAll(
    peers,
    MemoryEventBus.layer(),
    LoopLag.layerNone,
    Layer.mock(Externs, { chain: parameters }),
    Layer.mock(Host, { peerId: "us", multiaddrs: [] }),
    Layer.mock(LiveMatrix, { at: () => Effect.succeed([]) }),
    Layer.mock(History, { recordAvailability: (verdict) => Effect.sync(() => void recorded.push(verdict)) }),
    Layer.mock(CommitmentCache, {
      headSlot: Ref.get(head),
      columnSlots: () => 0,
      replacedSince: () => ({ seen: 0, blocks: [] }),
      range: ({ end, start }) =>
        Effect.sync(() => Array.from({ length: end - start + 1 }, (_, index) => facts(start + index))),
      confirm: (slot) => Effect.sync(() => facts(slot))
    })
  )
  const grow = (slot: number, more: Partial<Block> = {}) =>
    Effect.zipRight(
      Effect.sync(() => blocks.set(slot, blockAt(slot, more))),
      Ref.set(head, slot)
    )
  const run = <A, E>(
    use: (sampling: SlotSampling["Type"]) => Effect.Effect<A, E>,
    options: Partial<SlotSamplingOptions> = {}
  ) =>
    Effect.flatMap(SlotSampling, use).pipe(
      Effect.provide(
        SlotSampling.layer({ ...usual, ...options }).pipe(
          Layer.provide(world),
          Layer.provide([Doubts.layer, layerSeeded])
        )
      )
    )
  yield* TestClock.setTime(slotStart(parameters, first))
  return { asked, blocks, grow, recorded, run, silent, withheld }
})

describe("the sampling of each slot", () => {
  it.effect("asks for eight columns a third into the slot, and says at once that they came", () =>
    Effect.gen(function* () {
      const { asked, grow, recorded, run } = yield* stage
      yield* run((sampling) =>
        Effect.gen(function* () {
          yield* pass(0.1)
          yield* grow(first)
          yield* pass(0.2)
          assert.lengthOf(asked, 0)
          yield* pass(0.3)
          const [verdict] = recorded
          assert.deepInclude(verdict, { slot: first, verdict: "available", samples: 8, allowedFailures: 0, peers: 5 })
          assert.strictEqual(asked.flatMap(({ columns }) => columns).length, 8)
          assert.isTrue(
            asked.every(({ columns }) => columns.length <= 2),
            "spread over all five"
          )
          assert.isAtMost(verdict?.decidedAfterMs ?? Infinity, 0.5 * slotMs)
          assert.deepInclude(sampling.state(), { available: 1, passedOver: 0, last: verdict ?? null })
          yield* pass(4)
          assert.lengthOf(recorded, 1, "once")
        })
      )
    })
  )

  it.effect("says at the deadline that a block is withheld of which 63 columns exist, and not before", () =>
    Effect.gen(function* () {
      const { grow, recorded, run, withheld } = yield* stage
      for (const column of every.slice(0, 65)) withheld.add(column)
      yield* run(() =>
        Effect.gen(function* () {
          yield* grow(first)
          yield* pass(1.7)
          assert.lengthOf(recorded, 0)
          yield* pass(0.1)
          assert.deepInclude(recorded[0], {
            verdict: "unavailable",
            absent: every.slice(0, 65),
            passingProbability: null
          })
          assert.strictEqual(recorded[0]?.decidedAfterMs, 1.75 * slotMs)
        })
      )
    })
  )

  it.effect("accuses no block that is no longer canonical, or while this monitor doubts itself", () =>
    Effect.gen(function* () {
      const { blocks, grow, recorded, run, withheld } = yield* stage
      for (const column of every) withheld.add(column)
      yield* run(() =>
        Effect.gen(function* () {
          yield* grow(first)
          yield* pass(1.7)
          blocks.set(first, blockAt(first, { root: "0xother", commitments: [] }))
          yield* pass(0.1)
          assert.deepInclude(recorded[0], { verdict: "undetermined" })
          assert.match(recorded[0]?.reason ?? "", /no longer canonical/)
        })
      )
    })
  )

  it.effect("asks somebody else when a peer is silent, and decides in time all the same", () =>
    Effect.gen(function* () {
      const { grow, recorded, run, silent } = yield* stage
      for (const peerId of ["peer 0", "peer 1", "peer 2"]) silent.add(peerId)
      yield* run(() =>
        Effect.gen(function* () {
          yield* grow(first)
          yield* pass(1)
          assert.deepInclude(recorded[0], { verdict: "available", peers: 2 })
        })
      )
    })
  )

  it.effect("is undetermined where nobody answers: that is nothing against the block", () =>
    Effect.gen(function* () {
      const { grow, recorded, run, silent } = yield* stage
      for (let index = 0; index < 5; index++) silent.add(`peer ${index}`)
      yield* run(() =>
        Effect.gen(function* () {
          yield* grow(first)
          yield* pass(2)
          assert.deepInclude(recorded[0], { verdict: "undetermined", peers: 0, absent: [] })
        })
      )
    })
  )

  it.effect("samples a late block, the block that took its place, and after an outage only what is new", () =>
    Effect.gen(function* () {
      const { grow, recorded, run } = yield* stage
      yield* run((sampling) =>
        Effect.gen(function* () {
          yield* pass(0.8)
          yield* grow(first)
          yield* pass(0.3)
          assert.deepInclude(recorded[0], { slot: first, verdict: "available" })
          yield* grow(first, { root: "0xother" })
          yield* pass(1)
          assert.deepInclude(recorded[1], { slot: first, blockRoot: "0xother", verdict: "available" })
          // Twenty slots without a word of the chain.
          yield* TestClock.setTime(slotStart(parameters, first + 20) + 500)
          yield* grow(first + 2)
          yield* grow(first + 20)
          yield* pass(1)
          assert.deepStrictEqual(
            recorded.slice(2).map(({ slot }) => slot),
            [first + 20]
          )
          assert.isAtLeast(sampling.state().passedOver, 17)
        })
      )
    })
  )

  it.effect("passes over blocks without blobs, and all where it is off", () =>
    Effect.gen(function* () {
      const { asked, grow, recorded, run } = yield* stage
      yield* run(() => Effect.zipRight(grow(first, { commitments: [] }), pass(3)))
      yield* run(
        (sampling) =>
          Effect.gen(function* () {
            yield* grow(first + 5)
            yield* pass(3)
            assert.isFalse(sampling.state().isOn)
          }),
        { perSlot: false }
      )
      assert.deepStrictEqual([asked, recorded], [[], []])
    })
  )
})
