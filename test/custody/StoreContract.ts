import { assert, describe, it } from "@effect/vitest"
import { Effect, type Layer, Option } from "effect"
import { CustodyStore, type KeptColumn, prunedAtOnce } from "../../src/custody/CustodyStore.ts"

export const rootOf = (n: number) => `0x${n.toString(16).padStart(64, "0")}`

export const kept = (slot: number, column: number, more: Partial<KeptColumn> = {}): KeptColumn => ({
  root: rootOf(slot),
  slot,
  column,
  fork: "fulu",
  ssz: Uint8Array.from({ length: 300 }, (_, at) => (slot * 7 + column + at) % 256),
  ...more
})

/** What every store does. */
export const storeContract = (name: string, layer: () => Layer.Layer<CustodyStore>) => {
  const over = <A, E>(use: (store: CustodyStore["Type"]) => Effect.Effect<A, E>) =>
    Effect.flatMap(CustodyStore, use).pipe(Effect.provide(layer()))

  describe(`a custody store ${name}`, () => {
    it.effect("gives the very bytes back that it was given, by block and column", () =>
      over((store) =>
        Effect.gen(function* () {
          yield* store.put([kept(5, 9), kept(5, 3), kept(4, 0, { fork: "gloas" })])
          assert.deepStrictEqual(yield* store.read(rootOf(5), 9), Option.some(kept(5, 9)))
          assert.deepStrictEqual(yield* store.read(rootOf(4), 0), Option.some(kept(4, 0, { fork: "gloas" })))
          assert.isTrue(Option.isNone(yield* store.read(rootOf(4), 1)))
          assert.isTrue(Option.isNone(yield* store.read(rootOf(6), 9)))
        })
      )
    )

    it.effect("keeps what it has of a column, whatever comes later", () =>
      over((store) =>
        Effect.gen(function* () {
          yield* store.put([kept(5, 9)])
          yield* store.put([kept(5, 9, { ssz: Uint8Array.of(1) }), kept(5, 10)])
          assert.deepStrictEqual(yield* store.read(rootOf(5), 9), Option.some(kept(5, 9)))
          assert.deepStrictEqual(
            Option.map(yield* store.block(rootOf(5)), ({ columns }) => columns),
            Option.some([9, 10])
          )
        })
      )
    )

    it.effect("tells the blocks of a range, several of one slot too, ascending", () =>
      over((store) =>
        Effect.gen(function* () {
          yield* store.put([kept(9, 1), kept(7, 127), kept(7, 0), kept(7, 5, { root: rootOf(700) }), kept(12, 1)])
          assert.deepStrictEqual(yield* store.blocks({ start: 7, end: 11 }), [
            { slot: 7, root: rootOf(7), columns: [0, 127] },
            { slot: 7, root: rootOf(700), columns: [5] },
            { slot: 9, root: rootOf(9), columns: [1] }
          ])
          assert.deepStrictEqual(yield* store.blocks({ start: 8, end: 8 }), [])
          assert.isTrue(Option.isNone(yield* store.block(rootOf(8))))
        })
      )
    )

    it.effect("removes one block, and the oldest slots step by step, and tells what they hold", () =>
      over((store) =>
        Effect.gen(function* () {
          const slots = Array.from({ length: 10 }, (_, n) => n + 1)
          yield* store.put(slots.flatMap((slot) => Array.from({ length: 16 }, (_, column) => kept(slot, column))))
          assert.deepStrictEqual(yield* store.oldest(2), [
            { slot: 1, bytes: 4800 },
            { slot: 2, bytes: 4800 }
          ])
          assert.isAtLeast(yield* store.bytes, 10 * 4800)
          yield* store.remove(rootOf(2))
          assert.isTrue(Option.isNone(yield* store.read(rootOf(2), 3)))
          // Nine slots are left, seven of them before slot 9: 112 sidecars.
          let steps = 1
          while (yield* store.prune(9)) steps++
          assert.strictEqual(steps, Math.ceil((7 * 16) / prunedAtOnce))
          assert.deepStrictEqual(
            (yield* store.blocks({ start: 0, end: 99 })).map(({ slot }) => slot),
            [9, 10]
          )
        })
      )
    )
  })
}
