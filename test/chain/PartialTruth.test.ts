import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Logger, TestClock } from "effect"
import { layer } from "../../src/chain/ChainCommitments.ts"
import { CommitmentCache } from "../../src/chain/CommitmentCache.ts"
import { Externs, ExternsError } from "../../src/host/Externs.ts"
import { makeSimulatedChain } from "./SimulatedChain.ts"
import { slotsWithColumns } from "./Slots.ts"

/** Slots that the host can never tell of. */
const dark = [50, 51, 130]

/** Fails for every range with such a slot, and says what it can prove. */
const withDarkSlots = Layer.effect(
  Externs,
  Effect.map(Externs, (host) =>
    Externs.of({
      ...host,
      chainQuery: (range) =>
        Effect.flatMap(host.chainQuery(range), (blocks) => {
          const within = dark.filter((slot) => slot >= range.start && slot <= range.end)
          if (within.length === 0) return Effect.succeed(blocks)
          const edges = [range.start - 1, ...within, range.end + 1]
          const proven = edges.slice(1).flatMap((edge, index) => {
            const part = { start: (edges[index] ?? 0) + 1, end: edge - 1 }
            const inPart = blocks.filter(({ slot }) => slot >= part.start && slot <= part.end)
            return part.start > part.end ? [] : [{ range: part, blocks: inPart }]
          })
          return new ExternsError({ operation: "blocks", reason: `slot ${within.join()} is dark`, proven })
        })
    })
  )
)

describe("a chain that cannot be told whole", () => {
  it.scoped("is known but for the slots that nobody can prove", () =>
    Effect.gen(function* () {
      const chain = yield* Effect.tap(makeSimulatedChain(0), (chain) =>
        chain.grow(Array.from({ length: 200 }, (_, index) => (index % 5 === 0 ? null : 1)))
      )
      const context = yield* Layer.build(
        layer({ window: "4096 seconds", mode: "background", pause: 0 }).pipe(
          Layer.provide(Layer.provide(withDarkSlots, chain.layer)),
          Layer.provide(Logger.remove(Logger.defaultLogger))
        )
      )
      const cache = Context.get(context, CommitmentCache)
      for (let second = 0; second < 20; second++) yield* TestClock.adjust("1 second")

      const slots = Array.from({ length: chain.head() - 31 }, (_, index) => 32 + index)
      assert.deepInclude(yield* cache.progress, { known: slots.length - dark.length, wanted: slots.length })
      assert.deepStrictEqual(
        slotsWithColumns(cache, { start: 32, end: chain.head() }),
        slots.filter((slot) => chain.block(slot) !== undefined && !dark.includes(slot))
      )
      const facts = yield* cache.range({ start: 45, end: 60 })
      assert.deepStrictEqual(
        facts.map((fact) => (fact._tag === "Block" ? fact.block.slot : fact.slot)),
        [45, 46, 47, 48, 49, 52, 53, 54, 55, 56, 57, 58, 59, 60]
      )
      assert.strictEqual((yield* Effect.flip(cache.range({ start: 50, end: 51 }))).reason, "slot 50,51 is dark")
    })
  )
})
