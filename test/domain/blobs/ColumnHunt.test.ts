import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import {
  type HuntState,
  isEnough,
  isExhausted,
  lackingColumns,
  nextErrands,
  type Source
} from "../../../src/domain/blobs/ColumnHunt.ts"

const all = Array.from({ length: 128 }, (_, column) => column)

const source = (peerId: string, claims: ReadonlyArray<number>, rank = 0): Source => ({
  peerId,
  claims: new Set(claims),
  rank
})

const state = (part: Partial<HuntState> = {}): HuntState => ({
  have: new Set(),
  settled: new Map(),
  underWay: new Set(),
  late: new Set(),
  busy: new Set(),
  ...part
})

/** Asks in rounds until there is enough or nobody is left; a peer brings what of its claims it `has`. */
const hunt = (sources: ReadonlyArray<Source>, has: ReadonlyMap<string, ReadonlySet<number>>, most: number) => {
  const have = new Set<number>()
  const settled = new Map<string, Set<number>>()
  const asked: Array<readonly [string, number]> = []
  while (!isEnough(state({ have })) && !isExhausted(sources, state({ have, settled }))) {
    for (const { columns, peerId } of nextErrands(sources, state({ have, settled }), most)) {
      const before = settled.get(peerId) ?? new Set()
      for (const column of columns) {
        asked.push([peerId, column])
        before.add(column)
        if (has.get(peerId)?.has(column) === true) have.add(column)
      }
      settled.set(peerId, before)
    }
  }
  return { have, asked }
}

describe("whom to ask for which columns", () => {
  it("is whoever ranks highest, for the columns that need no recovery, shared among several", () => {
    const sources = [source("low", all, 1), source("high", all, 3), source("few", [3, 70], 2)]
    const errands = nextErrands(sources, state(), 32)
    assert.deepStrictEqual(
      errands.map(({ columns, peerId }) => [peerId, columns[0], columns.length]),
      [
        ["high", 0, 32],
        ["low", 32, 32]
      ]
    )
  })

  it("asks for no more than is missing, and for others in the place of those that nobody has", () => {
    const have = new Set(all.slice(0, 60))
    const settled = new Map([["a", new Set([60, 61])]])
    const [errand] = nextErrands([source("a", all)], state({ have, settled }), 32)
    assert.deepStrictEqual(errand?.columns, [62, 63, 64, 65])
    // What is awaited counts, unless it is late.
    const underWay = new Set([62, 63])
    assert.deepStrictEqual(
      nextErrands([source("a", all)], state({ have, settled, underWay }), 32).flatMap(({ columns }) => columns),
      [64, 65]
    )
    const late = new Set([62])
    assert.deepStrictEqual(
      nextErrands([source("a", all)], state({ have, settled, underWay, late }), 32).flatMap(({ columns }) => columns),
      [62, 64, 65]
    )
  })

  it("leaves busy peers alone, and is at its end only when no answer is awaited", () => {
    const sources = [source("a", [1])]
    assert.deepStrictEqual(nextErrands(sources, state({ busy: new Set(["a"]) }), 32), [])
    assert.isFalse(isExhausted(sources, state({ busy: new Set(["a"]) })))
    const settled = new Map([["a", new Set([1])]])
    assert.isTrue(isExhausted(sources, state({ settled })))
    assert.isFalse(isExhausted(sources, state({ settled, underWay: new Set([1]) })))
  })

  it("gets 64 columns together whenever the peers have as many between them, asking nobody twice", () => {
    const columns = FastCheck.uniqueArray(FastCheck.nat(127), { maxLength: 128 })
    const peer = FastCheck.record({ claims: columns, lacks: columns, rank: FastCheck.nat(5) })
    FastCheck.assert(
      FastCheck.property(
        FastCheck.array(peer, { maxLength: 12 }),
        FastCheck.integer({ min: 1, max: 64 }),
        (peers, most) => {
          const sources = peers.map(({ claims, rank }, index) => source(String(index), claims, rank))
          const has = new Map(
            peers.map(({ claims, lacks }, index) => [
              String(index),
              new Set(claims.filter((one) => !lacks.includes(one)))
            ])
          )
          const there = new Set([...has.values()].flatMap((some) => [...some]))
          const { asked, have } = hunt(sources, has, most)
          assert.strictEqual(have.size >= 64, there.size >= 64)
          assert.isAtMost(have.size, 64)
          if (there.size < 64) assert.deepStrictEqual([...have].sort(), [...there].sort())
          assert.strictEqual(new Set(asked.map(String)).size, asked.length)
          for (const [peerId, column] of asked) assert.isTrue(sources[Number(peerId)]?.claims.has(column))
        }
      ),
      { seed: 5, numRuns: 200 }
    )
  })
})

describe("columns that others are wanted for", () => {
  const some = (from: number, to: number) => all.slice(from, to)

  it("are none where those who are there may still make it 64", () => {
    assert.deepStrictEqual(lackingColumns([source("a", some(0, 64))], state()), [])
    const sources = [source("a", some(0, 40)), source("b", some(30, 60))]
    assert.deepStrictEqual(lackingColumns(sources, state({ have: new Set(some(60, 64)) })), [])
  })

  it("are all that nobody of them may give, where that is too few", () => {
    const sources = [source("a", some(0, 40)), source("b", some(30, 60))]
    assert.deepStrictEqual(lackingColumns(sources, state()), some(60, 128))
    // What a peer did not have when it was asked is to be had from others.
    const settled = new Map([["a", new Set(some(0, 40))]])
    assert.deepStrictEqual(lackingColumns(sources, state({ settled })), [...some(0, 30), ...some(60, 128)])
    // What is awaited may come.
    const underWay = new Set(some(0, 40))
    assert.deepStrictEqual(lackingColumns(sources, state({ settled, underWay })), some(60, 128))
  })
})
