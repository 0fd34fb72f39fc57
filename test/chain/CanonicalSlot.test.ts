import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Option, TestClock } from "effect"
import { CommitmentCache } from "../../src/chain/CommitmentCache.ts"
import { canonicalSlot } from "../../src/chain/CanonicalSlot.ts"
import type { Block, SlotFacts } from "../../src/domain/network/Block.ts"
import { ExternsError } from "../../src/host/Externs.ts"

const block: Block = {
  slot: 0,
  root: "0x01",
  parentRoot: "0x00",
  fork: "fulu",
  commitments: [new Uint8Array(48), new Uint8Array(48)],
  signature: Option.none(),
  payload: "full"
}

/** A chain whose head is at slot 100, with this answer for every slot; which of them were asked for is kept. */
const world = (answer: Effect.Effect<SlotFacts, ExternsError>, wanted = 101) => {
  const asked: Array<number> = []
  const layer = Layer.mock(CommitmentCache, {
    columnSlots: () => 0,
    replacedSince: (seen) => ({ seen, blocks: [] }),
    headSlot: Effect.succeed(100),
    backfill: Effect.succeed({
      mode: "off" as const,
      stage: "off" as const,
      slotsPerSecond: 0,
      secondsLeft: null,
      stored: 0
    }),
    progress: Effect.succeed({ known: 0, wanted, unknown: 0, oldest: Option.none() }),
    range: ({ start }) => {
      asked.push(start)
      return Effect.map(answer, (facts) => [facts])
    }
  })
  return { asked, layer }
}

describe("canonicalSlot", () => {
  it.effect("says what the chain has, also in slot 0", () =>
    Effect.gen(function* () {
      const of = (facts: SlotFacts) => Effect.provide(canonicalSlot(0), world(Effect.succeed(facts)).layer)
      assert.deepStrictEqual(yield* of({ _tag: "Block", block }), {
        _tag: "Block",
        root: "0x01",
        blobs: 2,
        hasColumns: true
      })
      const bare = yield* of({ _tag: "Block", block: { ...block, commitments: [] } })
      assert.isFalse(bare._tag === "Block" && bare.hasColumns)
      assert.deepStrictEqual(yield* of({ _tag: "Empty", slot: 0 }), { _tag: "Empty" })
    })
  )

  it.effect("asks for nothing that would not be remembered, and waits only so long", () =>
    Effect.gen(function* () {
      const { asked, layer } = world(Effect.never, 50)
      for (const slot of [0, 50, 101, 2 ** 31]) {
        assert.strictEqual((yield* Effect.provide(canonicalSlot(slot), layer))._tag, "Unknown")
      }
      assert.deepStrictEqual(asked, [])
      const late = yield* Effect.fork(Effect.provide(canonicalSlot(51), layer))
      yield* TestClock.adjust("5 seconds")
      assert.deepInclude(yield* Fiber.join(late), { _tag: "Unknown" })
      assert.deepStrictEqual(asked, [51])

      const failing = world(new ExternsError({ operation: "blocks", reason: "the node is down" }))
      const unknown = yield* Effect.provide(canonicalSlot(100), failing.layer)
      assert.match(unknown._tag === "Unknown" ? unknown.reason : "", /the node is down/)
    })
  )
})
