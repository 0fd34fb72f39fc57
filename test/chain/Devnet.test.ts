import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Option } from "effect"
import { layer } from "../../src/chain/ChainCommitments.ts"
import { CommitmentCache } from "../../src/chain/CommitmentCache.ts"
import { BeaconApi } from "../../src/host/beacon-api/BeaconApi.ts"
import { Externs } from "../../src/host/Externs.ts"
import { devnet } from "../host/beacon-api/Chain.ts"
import { slotsWithColumns } from "./Slots.ts"
import { eventually } from "../Eventually.ts"

const externs = Layer.effect(
  Externs,
  Effect.map(BeaconApi, (api) =>
    Externs.of({
      chain: api.chain,
      peerRefresh: () => Effect.dieMessage("there are no peers"),
      chainQuery: api.blocks,
      chainHead: api.head,
      chainEvents: api.events
    })
  )
)

describe("ChainCommitments over a Beacon API", () => {
  it.scopedLive("follows a chain that grows and reorganises", () =>
    Effect.gen(function* () {
      const { chain, url } = yield* devnet({ epochs: 3, slotMs: 500 })
      const context = yield* Layer.build(
        layer({ window: "2 hours", mode: "background", pause: 0 }).pipe(
          Layer.provide(externs),
          Layer.provide(BeaconApi.layer({ url }))
        )
      )
      const cache = Context.get(context, CommitmentCache)
      const equalsChain = Effect.gen(function* () {
        const { canonical, head } = yield* chain.state
        const expected = [...canonical.values()].filter(
          ({ commitments, slot }) => slot >= 32 && slot < head.slot && commitments.length > 0
        )
        assert.deepStrictEqual(
          slotsWithColumns(cache, { start: 0, end: head.slot - 1 }),
          expected.map(({ slot }) => slot)
        )
        const range = { start: head.slot - 40, end: head.slot - 1 }
        assert.deepStrictEqual(
          (yield* cache.range(range)).map((facts) => (facts._tag === "Block" ? facts.block.root : undefined)),
          Array.from({ length: 40 }, (_, index) => canonical.get(range.start + index)?.root)
        )
      })
      const caughtUp = eventually(equalsChain)
      yield* caughtUp
      for (const depth of [3, 20]) {
        const before = (yield* chain.state).canonical
        const { blocks } = yield* chain.reorg(depth)
        yield* caughtUp
        const replaced = blocks.flatMap(({ slot }) => before.get(slot) ?? [])
        assert.isTrue(replaced.some(({ root }) => Option.isSome(cache.orphan(root))))
      }
    })
  )
})
