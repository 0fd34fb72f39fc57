import { assert, describe, it } from "@effect/vitest"
import kzg from "c-kzg"
import { Duration, Effect, Either, Exit } from "effect"
import { equalBytes } from "../../src/domain/Bytes.ts"
import { blobsOf } from "../../src/devnet/chain/BlobPool.ts"
import { type ChainRules, genesisState, grow, reorganise } from "../../src/devnet/chain/ChainState.ts"
import { partialBlocks } from "../../src/devnet/chain/PartialBlocks.ts"
import { makeDevnet } from "../../src/devnet/Devnet.ts"
import { devnetParameters } from "../../src/devnet/DevnetParameters.ts"
import { parsePartialBlocks } from "../../src/devnet/PartialSpec.ts"
import { loadKzg } from "../../src/kzg/Kzg.ts"
import { fakePool } from "./FakePool.ts"
import { labels, layerStranger, Stranger } from "./Stranger.ts"
import { shared } from "../Shared.ts"

const rules = { parameters: devnetParameters(7, 2000, 0), pool: fakePool, seed: 7 }
const series = [
  { columns: 63, first: 20, every: 40 },
  { columns: 64, first: 12, every: 40 }
]
const partial = partialBlocks({ seed: 7, start: 128, series, given: new Map([[50, [3, 1]]]) })
const chainOf = (rules: ChainRules) => grow(rules, genesisState(rules), 8 * 32)

describe("blocks of which not all columns were published", () => {
  it("are those that are given, and one of every series from the start on", () => {
    const { canonical } = chainOf({ ...rules, partial })
    const counts = [...canonical.values()].flatMap(({ published, slot }) =>
      published.size < 128 ? [[slot, published.size] as const] : []
    )
    assert.deepStrictEqual(counts, [
      [50, 2],
      [140, 64],
      [148, 63],
      [180, 64],
      [188, 63],
      [220, 64],
      [228, 63]
    ])
    assert.deepStrictEqual([...(canonical.get(50)?.published ?? [])], [3, 1])
    assert.notDeepEqual(canonical.get(148)?.published, canonical.get(188)?.published)
  })

  it("have blobs, whatever the seed says, and so they have after a reorg", () => {
    const everywhere = { ...rules, partial: () => new Set([5]) }
    const state = chainOf(everywhere)
    const [after] = Either.getOrThrow(reorganise(everywhere, state, 40, 1))
    for (const chain of [state, after]) {
      assert.strictEqual(chain.canonical.size, 8 * 32 + 1)
      for (const { blobs, published, slot } of chain.canonical.values()) {
        if (slot === 0) continue
        assert.isAbove(blobs.length, 0)
        assert.deepStrictEqual([...published], [5])
      }
    }
  })

  it("leave all blocks before them as they are", () => {
    const [plain, other] = [chainOf(rules).canonical, chainOf({ ...rules, partial }).canonical]
    for (let slot = 0; slot < 50; slot++) assert.strictEqual(other.get(slot)?.root, plain.get(slot)?.root)
  })

  it.effect("are read from the command line, of slots that have columns", () =>
    Effect.gen(function* () {
      const read = yield* parsePartialBlocks("40:63, 50:64", 7)
      assert.deepStrictEqual(
        [...read].map(([slot, columns]) => [slot, new Set(columns).size]),
        [
          [40, 63],
          [50, 64]
        ]
      )
      for (const text of ["", "40", "40:129", "x:1", "40:1,"]) {
        assert.isTrue(Exit.isFailure(yield* Effect.exit(parsePartialBlocks(text, 7))), text)
      }
      for (const partial of [new Map([[31, [1]]]), new Map([[40, [128]]])]) {
        const error = yield* Effect.flip(Effect.scoped(makeDevnet({ partial })))
        assert.match(error.message, /^a (slot whose block is partial|column) is/)
      }
    })
  )
})

const columns = [...Array(64).keys()].map((column) => 2 * column)
const layer = layerStranger({
  peers: ["half", "honest", "unrequested"],
  partial: new Map([
    [100, columns],
    [110, columns.slice(1)]
  ]),
  slotDuration: Duration.millis(500),
  seed: 6
})

shared("a network with such blocks", layer, (it) => {
  it.live("has exactly the columns of them that were published, whoever is asked, by range and by root", () =>
    Effect.gen(function* () {
      const { blocks, byRoot, columnsOf, peer, range } = yield* Stranger
      for (const [slot, published] of [
        [100, columns],
        [110, columns.slice(1)]
      ] as const) {
        const expected = published.map((column) => `${slot}:${column}`)
        const [block, ...others] = yield* blocks(slot, 1)
        assert.lengthOf(others, 0)
        if (block === undefined) return assert.fail("there is no block with columns")
        assert.deepStrictEqual(labels(yield* range(peer("half"), slot, 1)), expected)
        assert.deepStrictEqual(labels(yield* byRoot(peer("half"), [block])), expected)
        const own = yield* columnsOf(peer("honest"))
        assert.deepStrictEqual(
          labels(yield* range(peer("honest"), slot, 1)),
          own.filter((column) => published.includes(column)).map((column) => `${slot}:${column}`)
        )
        for (const label of labels(yield* range(peer("unrequested"), slot, 1))) {
          if (label.startsWith(`${slot}:`)) assert.include(expected, label)
        }
      }
    })
  )

  it.live("knows what their blobs were", () =>
    Effect.gen(function* () {
      const { blocks, devnet } = yield* Stranger
      yield* loadKzg
      const [block] = yield* blocks(100, 1)
      if (block === undefined) return assert.fail("there is no block with columns")
      const blobs = blobsOf(devnet.chain.pool, block)
      assert.isAbove(blobs.length, 0)
      for (const [row, blob] of blobs.entries()) {
        assert.lengthOf(blob, 131_072)
        assert.isTrue(equalBytes(kzg.blobToKzgCommitment(blob), block.commitments[row] ?? new Uint8Array()))
      }
    })
  )
})
