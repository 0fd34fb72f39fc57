import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { makeChainMemory } from "../../src/chain/ChainMemory.ts"
import { compareCheckpoint } from "../../src/chain/CompareCheckpoint.ts"
import type { Block } from "../../src/domain/network/Block.ts"
import { ExternsError } from "../../src/host/Externs.ts"

const rootOf = (slot: number): string => `0x${slot.toString(16).padStart(64, "0")}`

const blockAt = (slot: number): Block => ({
  slot,
  root: rootOf(slot),
  parentRoot: rootOf(slot - 1),
  fork: "fulu",
  commitments: [],
  signature: Option.none(),
  payload: "full"
})

/** The head is at slot 999, the window begins at 500, and these slots have no block; nothing is remembered yet. */
const world = (isEmpty: (slot: number) => boolean = () => false) => {
  const memory = makeChainMemory({ slots: 500, maxBytes: 2 ** 20, firstSlot: 0 })
  memory.setHead(999)
  let asked = 0
  const known = ({ end, start }: { readonly start: number; readonly end: number }) =>
    Effect.sync(() => {
      asked++
      const slots = Array.from({ length: end - start + 1 }, (_, index) => start + index)
      memory.store({ start, end }, slots.filter((slot) => !isEmpty(slot)).map(blockAt))
    })
  return {
    asked: () => asked,
    compare: (slot: number, root: string) => compareCheckpoint(memory, known, slot, root),
    whileSilent: (slot: number, root: string) =>
      compareCheckpoint(
        memory,
        () => new ExternsError({ operation: "blocks", reason: "connection refused" }),
        slot,
        root
      )
  }
}

describe("a checkpoint beside our chain", () => {
  it.effect("is ours if that is the root of its block, of another chain if it is not", () =>
    Effect.gen(function* () {
      const { compare } = world()
      assert.strictEqual(yield* compare(640, rootOf(640)), "ours")
      assert.strictEqual(yield* compare(640, rootOf(641)), "other")
    })
  )

  it.effect("is of the last block before it, however many slots were missed, and asks for a tile at most once", () =>
    Effect.gen(function* () {
      const few = world((slot) => slot >= 610 && slot <= 640)
      assert.strictEqual(yield* few.compare(640, rootOf(609)), "ours")
      assert.strictEqual(yield* few.compare(640, rootOf(608)), "other")
      assert.strictEqual(yield* few.compare(640, rootOf(640)), "other")
      assert.strictEqual(few.asked(), 2)
      // So many missed slots that it would be a search.
      const all = world((slot) => slot > 505 && slot < 999)
      assert.strictEqual(yield* all.compare(960, rootOf(505)), "unknown")
      assert.isAtMost(all.asked(), 6)
    })
  )

  it.effect("is unknown above our head, before what is remembered, and at its edge", () =>
    Effect.gen(function* () {
      const { asked, compare } = world((slot) => slot <= 510)
      for (const slot of [1000, 1_000_000, 499, 0]) assert.strictEqual(yield* compare(slot, rootOf(slot)), "unknown")
      assert.strictEqual(asked(), 0)
      assert.strictEqual(yield* compare(510, rootOf(480)), "unknown")
      assert.strictEqual(yield* compare(511, rootOf(511)), "ours")
    })
  )

  it.effect("is unknown while the chain does not answer, but for what is remembered", () =>
    Effect.gen(function* () {
      const { compare, whileSilent } = world()
      assert.strictEqual(yield* whileSilent(640, rootOf(640)), "unknown")
      assert.strictEqual(yield* compare(640, rootOf(640)), "ours")
      assert.strictEqual(yield* whileSilent(640, rootOf(640)), "ours")
      assert.strictEqual(yield* whileSilent(640, rootOf(1)), "other")
    })
  )
})
