import { assert, describe, it } from "@effect/vitest"
import { FastCheck as fc } from "effect"
import { type Candidate, chooseWitnesses } from "../../../src/domain/availability/ChooseWitnesses.ts"
import { orderColumns } from "../../../src/domain/availability/OrderColumns.ts"
import { type ClientFamily, clientFamilies } from "../../../src/domain/peer/ClientFamily.ts"
import { uniform } from "../../../src/sampler/Uniform.ts"

const candidate = (
  peerId: string,
  columns: Iterable<number>,
  about: Partial<Omit<Candidate, "columns" | "peerId">> = {}
): Candidate => ({
  peerId,
  family: "prysm",
  group: peerId,
  score: 0.5,
  hasReached: true,
  ...about,
  columns: new Set(columns)
})

const wantedOf = (columns: Iterable<number>) => Array.from(columns, (column) => ({ column, askedOf: [] }))
const options = (mostLoad = 8, seed = 1) => ({ draw: uniform(seed), mostLoad })

describe("the order in which columns are sampled", () => {
  it("has every column once, those of our own node last", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(127)), fc.integer(), (own, seed) => {
        const order = orderColumns(new Set(own), uniform(seed))
        assert.deepStrictEqual(
          [...order].sort((a, b) => a - b),
          Array.from({ length: 128 }, (_, column) => column)
        )
        assert.deepStrictEqual(new Set(order.slice(128 - own.length)), new Set(own))
      })
    )
  })

  it("is the same for the same seed", () => {
    assert.deepStrictEqual(orderColumns(new Set([3]), uniform(7)), orderColumns(new Set([3]), uniform(7)))
    assert.notDeepEqual(orderColumns(new Set([3]), uniform(7)), orderColumns(new Set([3]), uniform(8)))
  })

  it("has each column among its first eight equally often", () => {
    const own = new Set([0, 1, 2, 3])
    const counts = Array.from({ length: 128 }, () => 0)
    const draws = 40_000
    const draw = uniform(5)
    for (let round = 0; round < draws; round++) {
      for (const column of orderColumns(own, draw).slice(0, 8)) counts[column] = (counts[column] ?? 0) + 1
    }
    const expected = (draws * 8) / 124
    // Chi-squared with 123 degrees of freedom: 174 is passed once in a thousand times.
    const chi = counts.slice(4).reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
    assert.isBelow(chi, 174)
    assert.deepStrictEqual(counts.slice(0, 4), [0, 0, 0, 0])
  })
})

const peers = fc.array(
  fc.record({
    columns: fc.uniqueArray(fc.nat(11), { maxLength: 6 }),
    family: fc.constantFrom<ClientFamily>(...clientFamilies),
    group: fc.constantFrom("a", "b", "c"),
    score: fc.double({ min: 0, max: 1, noNaN: true }),
    load: fc.nat(3)
  }),
  { maxLength: 9 }
)

/** The greatest number of columns that can have a peer each, by trying everything. */
const mostServed = (
  columns: ReadonlyArray<number>,
  room: ReadonlyArray<readonly [ReadonlySet<number>, number]>
): number => {
  const [first, ...rest] = columns
  if (first === undefined) return 0
  let most = mostServed(rest, room)
  room.forEach(([keeps, free], index) => {
    if (free > 0 && keeps.has(first)) {
      const left = room.map((one, other) => (other === index ? ([keeps, free - 1] as const) : one))
      most = Math.max(most, 1 + mostServed(rest, left))
    }
  })
  return most
}

describe("whom the columns are asked of", () => {
  it("is whoever keeps them, each column once, and never more than a peer may be given", () => {
    fc.assert(
      fc.property(peers, fc.integer({ min: 1, max: 4 }), fc.integer(), (given, mostLoad, seed) => {
        const candidates = given.map((about, index) => candidate(String(index), about.columns, about))
        const load = new Map(given.map((about, index) => [String(index), about.load] as const))
        const wanted = wantedOf(Array.from({ length: 12 }, (_, column) => column))
        const chosen = chooseWitnesses(wanted, candidates, load, options(mostLoad, seed))
        const asked = chosen.flatMap(({ columns }) => columns)
        assert.strictEqual(new Set(asked).size, asked.length)
        for (const { columns, witness } of chosen) {
          const index = Number(witness.peerId)
          assert.isTrue(columns.every((column) => given[index]?.columns.includes(column)))
          assert.isAtMost(columns.length + (given[index]?.load ?? 0), mostLoad)
        }
      })
    )
  })

  it("gives no peer two columns while others could serve: as many get their own peer as is possible at all", () => {
    fc.assert(
      fc.property(peers, fc.uniqueArray(fc.nat(11), { maxLength: 5 }), fc.integer(), (given, columns, seed) => {
        const candidates = given.slice(0, 6).map((about, index) => candidate(String(index), about.columns, about))
        const load = new Map(given.map(({ load }, index) => [String(index), load] as const))
        for (const layer of [1, 2, 3]) {
          const chosen = chooseWitnesses(wantedOf(columns), candidates, load, options(layer, seed))
          const room = candidates.map(
            ({ columns, peerId }) => [columns, Math.max(0, layer - (load.get(peerId) ?? 0))] as const
          )
          assert.strictEqual(chosen.flatMap(({ columns }) => columns).length, mostServed(columns, room))
        }
      })
    )
  })

  it("gives one peer two columns where nobody else has them", () => {
    const chosen = chooseWitnesses(
      wantedOf([1, 2]),
      [candidate("a", [1, 2]), candidate("b", [3])],
      new Map(),
      options()
    )
    assert.deepStrictEqual(
      chosen.map(({ columns, witness }) => [witness.peerId, columns]),
      [["a", [1, 2]]]
    )
  })

  it("spreads over clients and address groups", () => {
    const all = Array.from({ length: 8 }, (_, column) => column)
    const candidates = [
      ...all.map((index) => candidate(`p${index}`, all, { family: "prysm", group: "one", score: 0.6 })),
      ...all.map((index) => candidate(`l${index}`, all, { family: "lighthouse", group: "two", score: 0.5 })),
      ...all.map((index) => candidate(`t${index}`, all, { family: "teku", group: "three", score: 0.5 }))
    ]
    const chosen = chooseWitnesses(wantedOf(all), candidates, new Map(), options())
    const families = new Map<string, number>()
    for (const { witness } of chosen) families.set(witness.family, (families.get(witness.family) ?? 0) + 1)
    assert.strictEqual(families.size, 3)
    for (const count of families.values()) assert.isAtMost(count, 4)
  })

  it("asks the better peer, one whose head has the block, and after a failure one of another client", () => {
    const first = candidate("good", [1], { score: 0.9 })
    const second = candidate("bad", [1], { score: 0.2 })
    const choose = (candidates: ReadonlyArray<Candidate>, askedOf: ReadonlyArray<Candidate> = []) =>
      chooseWitnesses([{ column: 1, askedOf }], candidates, new Map(), options())[0]?.witness.peerId
    assert.strictEqual(choose([second, first]), "good")
    assert.strictEqual(
      choose([candidate("behind", [1], { score: 0.6, hasReached: false }), candidate("there", [1])]),
      "there"
    )
    const other = candidate("other", [1], { family: "teku", score: 0.3 })
    const alike = candidate("alike", [1], { score: 0.9 })
    assert.strictEqual(choose([first, alike, other], [first]), "other")
  })
})
