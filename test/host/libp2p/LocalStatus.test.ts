import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Option, TestClock } from "effect"
import type { Block, Head } from "../../../src/domain/network/Block.ts"
import { epochStart, type SlotRange, slotStart } from "../../../src/domain/network/Chain.ts"
import { knownParameters } from "../../../src/host/beacon-api/KnownNetworks.ts"
import { ExternsError } from "../../../src/host/Externs.ts"
import { makeLocalStatus, type StatusSource } from "../../../src/host/libp2p/LocalStatus.ts"
import { Daemons } from "../../../src/runtime/Daemon.ts"
import { devnetParameters } from "../../../src/devnet/DevnetParameters.ts"

const chain = devnetParameters(1, 12_000, 0)
const headAt = (slot: number): Head => ({ slot, root: `0x${slot.toString(16).padStart(64, "0")}` })
const rootAt = (slot: number) => headAt(slot).root
const heads = (head: StatusSource["head"]): StatusSource => ({
  head,
  finalized: Effect.succeed({ epoch: 0 }),
  blocks: () => Effect.die("nothing is final")
})
const blockAt = (slot: number): Block => ({
  ...headAt(slot),
  parentRoot: rootAt(slot - 1),
  fork: "fulu",
  commitments: [],
  signature: Option.none(),
  payload: "full"
})
const away = new ExternsError({ operation: "the chain", reason: "no answer" })

/** A chain of 32 slots an epoch that a test moves, without the blocks of `missed`. */
const moving = (missed: ReadonlySet<number> = new Set()) => {
  const world = { headSlot: 0, finalizedEpoch: 0, isAway: false }
  const asked: { finality: number; readonly ranges: Array<SlotRange> } = { finality: 0, ranges: [] }
  const source: StatusSource = {
    head: Effect.sync(() => headAt(world.headSlot)),
    finalized: Effect.suspend(() => {
      asked.finality++
      return world.isAway ? away : Effect.succeed({ epoch: world.finalizedEpoch })
    }),
    blocks: (range) =>
      Effect.sync(() => {
        asked.ranges.push(range)
        return Array.from({ length: range.end - range.start + 1 }, (_, index) => range.start + index)
          .filter((slot) => !missed.has(slot))
          .map(blockAt)
      })
  }
  return { world, asked, source }
}

const slotOf = Effect.map(({ headSlot }: { readonly headSlot: number }) => headSlot)

/** Digests of the public networks that everybody knows, on both sides of a fork and of a step of the blob limit. */
const boundaries = [
  {
    name: "mainnet's Fulu",
    chain: knownParameters("mainnet"),
    epoch: 411_392,
    before: "0xad532ceb",
    from: "0xcc2c5cdb"
  },
  {
    name: "mainnet's second step",
    chain: knownParameters("mainnet"),
    epoch: 419_072,
    before: "0xcb0d1acc",
    from: "0x8c9f62fe"
  },
  // 16 slots of 5 seconds.
  { name: "Gnosis' Deneb", chain: knownParameters("gnosis"), epoch: 889_856, before: "0x21a6f836", from: "0x3ebfd484" }
]

describe("LocalStatus", () => {
  it.scoped("asks for the head every slot, and goes on after an error and after a defect", () =>
    Effect.gen(function* () {
      let asked = 0
      const status = yield* makeLocalStatus(
        chain,
        heads(
          Effect.suspend(() => {
            asked++
            if (asked === 2) return new ExternsError({ operation: "head", reason: "no answer" })
            return asked === 3 ? Effect.dieMessage("a bug") : Effect.succeed(headAt(asked))
          })
        )
      )
      const failing = Effect.flatMap(Daemons, ({ failing }) => failing)
      assert.strictEqual(yield* slotOf(status), 1)
      yield* TestClock.adjust("12 seconds")
      // An error is no failure of ours: the last head stands.
      assert.deepStrictEqual([asked, yield* slotOf(status), yield* failing], [2, 1, []])
      yield* TestClock.adjust("12 seconds")
      assert.deepStrictEqual(yield* failing, [{ name: "the refreshing of our status", failures: 1, reason: "a bug" }])
      assert.deepStrictEqual([asked, yield* slotOf(status)], [3, 1])
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual([asked, yield* slotOf(status), yield* failing], [4, 4, []])
      yield* TestClock.adjust("12 seconds")
      assert.strictEqual(yield* slotOf(status), 5)
    }).pipe(Effect.provide(Daemons.layer))
  )

  it.scoped("does not wait long for a chain that does not answer, nor for one that dies", () =>
    Effect.gen(function* () {
      const silent = yield* Effect.fork(makeLocalStatus(chain, heads(Effect.never)))
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(yield* slotOf(yield* Fiber.join(silent)), 0)
      assert.strictEqual(yield* slotOf(yield* makeLocalStatus(chain, heads(Effect.dieMessage("a bug")))), 0)
    })
  )

  it.scoped.each(boundaries)(
    "says the fork digest of $name from its first millisecond on, and not before",
    (boundary) =>
      Effect.gen(function* () {
        const { before, chain, epoch, from } = boundary
        const at = slotStart(chain, epochStart(chain, epoch))
        // It works every slot from when it begins: years of slots are not to be gone through.
        yield* TestClock.setTime(at - chain.slotDurationMs)
        const status = yield* makeLocalStatus(chain, heads(Effect.succeed(headAt(0))))
        for (const [now, digest] of [
          [at - chain.slotDurationMs, before],
          [at - 1, before],
          [at, from],
          [at + 1, from]
        ] as const) {
          yield* TestClock.setTime(now)
          assert.strictEqual((yield* status).forkDigest, digest)
        }
      })
  )

  const checkpointOf = Effect.map(
    (status: { readonly finalizedEpoch: number; readonly finalizedRoot: string }) =>
      [status.finalizedEpoch, status.finalizedRoot] as const
  )
  const slots = (count: number) => TestClock.adjust(chain.slotDurationMs * count)
  const zero = [0, `0x${"00".repeat(32)}`] as const

  it.scoped("tells the checkpoint of two epochs before, of a block on the chain, and looks once an epoch", () =>
    Effect.gen(function* () {
      const { asked, source, world } = moving()
      const status = yield* makeLocalStatus(chain, source)
      assert.deepStrictEqual(yield* checkpointOf(status), zero)
      for (const [finalizedEpoch, told] of [
        [0, 0],
        [1, 1],
        [2, 1],
        [3, 1],
        [4, 2],
        [100, 98]
      ] as const) {
        world.finalizedEpoch = finalizedEpoch
        // The epoch of the head's state is what moves it.
        world.headSlot = (finalizedEpoch + 2) * 32
        asked.ranges.length = 0
        asked.finality = 0
        yield* slots(1)
        const before = asked.ranges.length
        world.headSlot += 20
        yield* slots(20)
        assert.deepStrictEqual(yield* checkpointOf(status), told === 0 ? zero : [told, rootAt(told * 32)])
        assert.isAtMost(before, 1)
        assert.deepStrictEqual([asked.finality, asked.ranges.length], [1, before])
      }
    })
  )

  it.scoped(
    "takes the block before an epoch whose first slots were missed, and looks back no further than 64 slots",
    () =>
      Effect.gen(function* () {
        const far = Array.from({ length: 80 }, (_, index) => 20 * 32 - 79 + index)
        const { asked, source, world } = moving(new Set([10 * 32, 10 * 32 - 1, 15 * 32, ...far]))
        world.headSlot = 14 * 32
        world.finalizedEpoch = 12
        const status = yield* makeLocalStatus(chain, source)
        assert.deepStrictEqual(yield* checkpointOf(status), [10, rootAt(10 * 32 - 2)])
        world.headSlot = 24 * 32
        world.finalizedEpoch = 22
        asked.ranges.length = 0
        yield* slots(3)
        assert.deepStrictEqual(yield* checkpointOf(status), [10, rootAt(10 * 32 - 2)])
        assert.deepStrictEqual(asked.ranges, [
          { start: 640, end: 640 },
          { start: 632, end: 639 },
          { start: 576, end: 631 }
        ])
      })
  )

  it.scoped("keeps the last one known while the chain cannot tell, and asks a few times an epoch", () =>
    Effect.gen(function* () {
      const { asked, source, world } = moving()
      world.headSlot = 12 * 32
      world.finalizedEpoch = 10
      const status = yield* makeLocalStatus(chain, source)
      assert.deepStrictEqual(yield* checkpointOf(status), [8, rootAt(8 * 32)])
      world.isAway = true
      world.headSlot = 13 * 32
      world.finalizedEpoch = 11
      asked.finality = 0
      yield* slots(30)
      assert.strictEqual(asked.finality, 4)
      assert.deepStrictEqual(yield* checkpointOf(status), [8, rootAt(8 * 32)])
      world.isAway = false
      world.headSlot = 14 * 32
      world.finalizedEpoch = 12
      yield* slots(1)
      assert.deepStrictEqual(yield* checkpointOf(status), [10, rootAt(10 * 32)])
    })
  )
})
