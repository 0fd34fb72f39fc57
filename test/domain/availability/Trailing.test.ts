import { assert, describe, it } from "@effect/vitest"
import { FastCheck as fc } from "effect"
import { holdingsState } from "../../../src/domain/availability/Holdings.ts"
import { type Timed, trailingShares } from "../../../src/domain/availability/Trailing.ts"

const blocks = fc.array(
  fc.record<Timed>({
    verdict: fc.constantFrom("available", "unavailable", "undetermined"),
    decidedAfterMs: fc.integer({ min: 0, max: 70_000 })
  })
)

describe("the trailing analysis", () => {
  it("counts the blocks that were decided by each deadline", () => {
    const shares = trailingShares(
      [
        { verdict: "available", decidedAfterMs: 3_900 },
        { verdict: "available", decidedAfterMs: 4_600 },
        { verdict: "unavailable", decidedAfterMs: 21_000 },
        { verdict: "undetermined", decidedAfterMs: 100 }
      ],
      12_000
    )
    const found = shares.map(({ changed, deadline, decided, distance, share, withinMs }) => [
      distance,
      deadline,
      withinMs,
      decided,
      share,
      changed
    ])
    assert.deepStrictEqual(found.slice(0, 7), [
      [0, "attestation", 4_000, 1, 0.25, 0],
      [0, "aggregate", 8_000, 2, 0.5, 1],
      [0, "end", 12_000, 2, 0.5, 1],
      [1, "start", 12_000, 2, 0.5, 0],
      [1, "attestation", 16_000, 2, 0.5, 0],
      [1, "aggregate", 20_000, 2, 0.5, 0],
      [1, "end", 24_000, 3, 0.75, 1]
    ])
    assert.deepStrictEqual(found.at(-1), [4, "end", 60_000, 3, 0.75, 0])
  })

  it("never has fewer blocks at a later deadline, and none without blocks", () => {
    fc.assert(
      fc.property(blocks, (blocks) => {
        const shares = [...trailingShares(blocks, 12_000)].sort((a, b) => a.withinMs - b.withinMs)
        shares.forEach((one, index) => {
          assert.isAtLeast(one.decided, shares[index - 1]?.decided ?? 0)
          assert.strictEqual(one.share === null, blocks.length === 0)
        })
      })
    )
  })
})

describe("what is proven of a block's columns", () => {
  const holdings = (held: (column: number) => { peers?: number; failed?: number; holder?: string }) =>
    holdingsState(
      Array.from({ length: 128 }, (_, column) => {
        const { failed = 0, holder, peers = 0 } = held(column)
        return { column, peers, failed, holder }
      })
    )

  it("is recoverable with a margin over 64, and at risk without", () => {
    const first = (count: number) => holdings((column) => (column < count ? { peers: 2 } : {}))
    assert.deepStrictEqual(first(72), { state: "recoverable", weakest: { column: 0, peers: 2 } })
    assert.strictEqual(first(71).state, "at risk")
    assert.strictEqual(first(64).state, "at risk")
    assert.strictEqual(first(63).state, "untested")
    assert.deepStrictEqual(first(0), { state: "untested", weakest: null })
  })

  it("is at risk where one peer could take it away", () => {
    const alone = (holder: (column: number) => string) =>
      holdings((column) => (column < 100 ? { peers: 1, holder: holder(column) } : {}))
    assert.strictEqual(alone(() => "one").state, "at risk")
    assert.strictEqual(alone((column) => `peer ${column % 10}`).state, "recoverable")
  })

  it("is lost only when more than 64 columns are proven absent by three peers each", () => {
    const absent = (count: number, failed: number) => holdings((column) => (column < count ? { failed } : { peers: 3 }))
    assert.strictEqual(absent(65, 3).state, "lost")
    assert.strictEqual(absent(65, 2).state, "untested")
    assert.strictEqual(absent(64, 3).state, "at risk")
    assert.strictEqual(holdings(() => ({ failed: 9, peers: 1, holder: "one" })).state, "at risk")
  })
})
