import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { CommitmentCache } from "../../src/chain/CommitmentCache.ts"
import * as KeepFacts from "../../src/scan/KeepFacts.ts"
import { layerSeams, reorg } from "../probe/FakeWorld.ts"
import { honest } from "../probe/Probes.ts"
import { busyWorld } from "./ScanWorld.ts"

describe("facts that are kept", () => {
  it.effect("are what is final, once it was asked for by itself; what is confirmed is asked anew", () =>
    Effect.gen(function* () {
      const world = busyWorld()
      const layer = KeepFacts.layer.pipe(Layer.provide(layerSeams(world, honest(world))))
      yield* Effect.gen(function* () {
        const commitments = yield* CommitmentCache
        const rootAt = (slot: number) =>
          Effect.map(commitments.range({ start: slot, end: slot }), ([fact]) =>
            fact?._tag === "Block" ? fact.block.root : undefined
          )
        const [final, open] = [yield* rootAt(100), yield* rootAt(600)]
        reorg(world, 100, 1)
        reorg(world, 600, 1)
        assert.strictEqual(yield* rootAt(100), final)
        assert.notStrictEqual(yield* rootAt(600), open)
        yield* commitments.confirm(100)
        assert.notStrictEqual(yield* rootAt(100), final)
      }).pipe(Effect.provide(layer))
    })
  )
})
