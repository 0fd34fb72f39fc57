import { assert, describe, it } from "@effect/vitest"
import { FastCheck as fc } from "effect"
import { makeRandom } from "../../../scripts/bench/Bench.ts"
import { simulateBlock } from "../../../scripts/bench/sampling/SimulateBlock.ts"
import { drawn, honestNetwork, troubled } from "../../../scripts/bench/sampling/SimulatedNetwork.ts"
import { mostFailures } from "../../../src/availability/SamplingOptions.ts"
import { makeBlockSampling } from "../../../src/domain/availability/BlockSampling.ts"
import type { Candidate, Witness } from "../../../src/domain/availability/ChooseWitnesses.ts"
import { type Answer, columnStateOf } from "../../../src/domain/availability/Evidence.ts"
import { passingProbability, sampleStages } from "../../../src/domain/availability/SampleCount.ts"

const stages = sampleStages(8, mostFailures)
const every = Array.from({ length: 128 }, (_, column) => column)
const times = { sampleAt: 4_000, settledAt: 12_000, deadline: 21_000 }

const witness = (peerId: string, family: Witness["family"] = "prysm", group = peerId): Witness => ({
  peerId,
  family,
  group
})

const answers = (...given: ReadonlyArray<readonly [Witness, Answer]>) =>
  new Map(given.map(([witness, answer]) => [witness.peerId, { witness, answer }] as const))

const simulate = (about: Partial<Parameters<typeof simulateBlock>[0]>, seed = 1): ReturnType<typeof simulateBlock> => {
  const draw = makeRandom(seed)
  return simulateBlock({
    peers: honestNetwork(60, makeRandom(9)),
    withheld: new Set(),
    own: new Set(),
    stages,
    draw,
    ...times,
    ...about
  })
}

describe("a column", () => {
  const [a, b, c] = [witness("a"), witness("b", "teku"), witness("c")]

  it("is there when one peer brought it, whatever others say", () => {
    const state = columnStateOf({
      column: 1,
      owedBy: [],
      answers: answers([a, "absent"], [b, "absent"], [c, "present"])
    })
    assert.strictEqual(state, "present")
  })

  it("is absent only when three peers answered without it, of several clients and networks where there are several", () => {
    const state = (owedBy: ReadonlyArray<Witness>, ...given: ReadonlyArray<readonly [Witness, Answer]>) =>
      columnStateOf({ column: 1, owedBy, answers: answers(...given) })
    assert.strictEqual(state([], [a, "absent"], [b, "absent"], [c, "absent"]), "absent")
    assert.strictEqual(state([], [a, "absent"], [b, "absent"]), "open")
    assert.strictEqual(state([], [a, "absent"], [b, "absent"], [c, "early"]), "open")
    assert.strictEqual(state([], [a, "absent"], [b, "absent"], [c, "unanswered"]), "open")
    const alike = ["x", "y", "z"].map((peerId) => [witness(peerId, "prysm", "one"), "absent"] as const)
    assert.strictEqual(state([], ...alike), "absent")
    assert.strictEqual(state([witness("w", "teku", "one")], ...alike), "open")
    assert.strictEqual(state([witness("w", "prysm", "two")], ...alike), "open")
    assert.strictEqual(state([witness("w", "unknown", "one")], ...alike), "absent")
  })
})

describe("a block", () => {
  it("whose columns are all there is available with eight samples, each from another peer", () => {
    for (let seed = 1; seed <= 20; seed++) {
      const { decidedAt, decision } = simulate({}, seed)
      assert.strictEqual(decision.verdict, "available")
      assert.deepStrictEqual(decision.stage, { count: 8, allowed: 0 })
      assert.strictEqual(decision.passing, passingProbability({ count: 8, allowed: 0 }))
      assert.isAtMost(decidedAt, 4_500)
    }
  })

  it("passes with one column of the sample absent once more columns were asked for", () => {
    let extended = 0
    for (let seed = 1; seed <= 40; seed++) {
      const { decision } = simulate({ withheld: drawn(12, makeRandom(seed)) }, seed)
      assert.strictEqual(decision.verdict, "available")
      if (decision.stage?.allowed === 1) {
        extended++
        assert.strictEqual(decision.stage.count, 12)
        assert.isAbove(decision.passing ?? 0, passingProbability({ count: 12, allowed: 1 }))
      }
    }
    assert.isAbove(extended, 0)
  })

  it("of which 65 columns or more are withheld is unavailable, and that is said at the deadline", () => {
    for (const withheld of [65, 80, 128]) {
      const { decidedAt, decision } = simulate({ withheld: drawn(withheld, makeRandom(withheld)) })
      assert.strictEqual(decision.verdict, "unavailable", decision.reason)
      assert.strictEqual(decidedAt, times.deadline)
    }
  })

  it("that can just be rebuilt is available, by its 64 columns", () => {
    for (let seed = 1; seed <= 5; seed++) {
      const { decision } = simulate({ withheld: drawn(64, makeRandom(seed)) }, seed)
      assert.strictEqual(decision.verdict, "available")
    }
  })

  it("is never unavailable by the trouble of honest peers, nor while 64 of its columns exist", () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.integer({ min: 0, max: 64 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (seed, withheld, share) => {
          const draw = makeRandom(seed)
          const peers = troubled(honestNetwork(40, draw), share, draw)
          const { decision } = simulate({ peers, withheld: drawn(withheld, draw), own: drawn(4, draw) }, seed)
          assert.notStrictEqual(decision.verdict, "unavailable", decision.reason)
        }
      ),
      { numRuns: 60 }
    )
  })

  it("is not unavailable because a third of the network keeps everything to itself", () => {
    for (let seed = 1; seed <= 10; seed++) {
      const draw = makeRandom(seed)
      const peers = honestNetwork(60, draw).map((peer) => (draw() < 0.33 ? { ...peer, hides: () => true } : peer))
      assert.notStrictEqual(simulate({ peers }, seed).decision.verdict, "unavailable")
    }
  })

  it("is undetermined with the reason where too few peers can be asked", () => {
    const none = simulate({ peers: [] })
    assert.strictEqual(none.decision.verdict, "undetermined")
    assert.match(none.decision.reason, /no connected peer keeps them/)
    const [one] = honestNetwork(1, makeRandom(1))
    const liar = one === undefined ? [] : [{ ...one, hides: () => true }]
    const alone = simulate({ peers: liar })
    assert.strictEqual(alone.decision.verdict, "undetermined")
    assert.match(alone.decision.reason, /too few peers answered/)
  })

  it("is undetermined when something is wrong with ourselves, however many columns are absent", () => {
    const sampling = makeBlockSampling({ order: every, stages, settledAt: 0, patienceMs: 10, draw: makeRandom(1) })
    const peers = ["a", "b", "c", "d"].map((peerId): Candidate => ({
      ...witness(peerId),
      columns: new Set(every),
      score: 1,
      hasReached: true
    }))
    for (let round = 0; round < 20; round++) {
      for (const assignment of sampling.next(peers, round, 99)) {
        sampling.hear(assignment, round, {
          asked: assignment.columns,
          present: [],
          absent: assignment.columns,
          hasReached: true
        })
      }
    }
    assert.strictEqual(sampling.decide(true).verdict, "unavailable")
    assert.strictEqual(sampling.decide(false).verdict, "undetermined")
    assert.deepInclude(sampling.decide(true, "the clock is wrong"), {
      verdict: "undetermined",
      reason: "the clock is wrong"
    })
  })
})

describe("whom a block is asked of", () => {
  const peers = ["a", "b", "c"].map((peerId): Candidate => ({
    ...witness(peerId),
    columns: new Set(every),
    score: 1,
    hasReached: true
  }))
  const sampling = () =>
    makeBlockSampling({ order: every, stages, settledAt: 100, patienceMs: 10, draw: makeRandom(1) })

  it("is nobody twice at once, and nobody again who brought a column", () => {
    const block = sampling()
    const asked = block.next(peers, 0, 99)
    assert.lengthOf(asked, 3)
    assert.deepStrictEqual(block.next(peers, 1, 99), [])
    for (const assignment of asked)
      block.hear(assignment, 0, {
        asked: assignment.columns,
        present: assignment.columns,
        absent: [],
        hasReached: true
      })
    assert.deepStrictEqual(block.next(peers, 2, 99), [])
    assert.strictEqual(block.decide(false).verdict, "available")
  })

  it("is not asked for what a peer has proven to somebody else", () => {
    const block = sampling()
    for (const column of [0, 1, 2, 3, 4, 5, 6]) block.know(witness("other"), column)
    assert.deepStrictEqual(
      block.next(peers, 0, 99).flatMap(({ columns }) => columns),
      [7]
    )
  })

  it("is somebody else too after a while, when who was asked is silent, and no more than may be asked", () => {
    const block = sampling()
    const [first] = block.next(peers.slice(0, 1), 0, 1)
    assert.lengthOf(first?.columns ?? [], 1)
    assert.deepStrictEqual(block.next(peers.slice(0, 1), 5, 1), [])
    const later = block.next(peers.slice(1), 10, 99).flatMap(({ columns }) => columns)
    assert.includeMembers(later, [...(first?.columns ?? [])])
  })

  it("is asked once more for what its client did not allow to ask for at once", () => {
    const block = sampling()
    const [asked] = block.next(peers.slice(0, 1), 0, 99)
    assert.isDefined(asked)
    const some = asked.columns.slice(0, 3)
    block.hear(asked, 0, { asked: some, present: some, absent: [], hasReached: true })
    const [rest] = block.next(peers.slice(0, 1), 1, 99)
    assert.deepStrictEqual(rest?.columns, asked.columns.slice(3, 8))
  })

  it("is asked again, once, when what came too early to count may be there", () => {
    const block = sampling()
    const [only] = peers
    assert.isDefined(only)
    const asks = (now: number): number => {
      const asked = block.next([only], now, 99)
      for (const assignment of asked)
        block.hear(assignment, now, {
          asked: assignment.columns,
          present: [],
          absent: assignment.columns,
          hasReached: true
        })
      return asked.flatMap(({ columns }) => columns).filter((column) => column < 8).length
    }
    assert.strictEqual(asks(0), 8)
    assert.strictEqual(asks(50), 0)
    assert.strictEqual(asks(100), 8)
    assert.strictEqual(asks(200), 0)
  })
})
