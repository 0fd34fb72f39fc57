import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { makeYielder } from "../../../src/runtime/YieldNow.ts"
import { uniform } from "../../../src/sampler/Uniform.ts"
import { type SimulatedNetwork, simulate, simulatedNodes } from "./SimulatedNetwork.ts"

const minute = 60_000
const hour = 60 * minute
const stepMs = 30_000
const perColumn = 3

/** Columns that have too few holders, those that none but supernodes hold, and those of one client only. */
const weakColumns = (connected: ReturnType<SimulatedNetwork["connected"]>) => {
  const weak = { few: 0, onlySupernodes: 0, ofOneClient: 0 }
  for (let column = 0; column < 128; column++) {
    const holders = connected.filter(({ columns }) => columns.includes(column))
    if (holders.length < perColumn) weak.few++
    if (!holders.some(({ groupCount }) => groupCount < 64)) weak.onlySupernodes++
    if (new Set(holders.map(({ family }) => family)).size < 2) weak.ofOneClient++
  }
  return weak
}

const limitsOf = (target: number) => ({
  target,
  demand: Array.from({ length: 128 }, () => perColumn),
  dialsAtOnce: 16
})

/** Runs until `isOver`, at most a day; gives what time it is then. */
const runUntil = (network: SimulatedNetwork, isOver: (now: number) => boolean) =>
  Effect.gen(function* () {
    const yieldIfDue = makeYielder(50)
    for (let now = stepMs; now <= 24 * hour; now += stepMs) {
      yield* yieldIfDue
      network.step(now)
      if (isOver(now)) return now
    }
    return yield* Effect.dieMessage("it was not over within a day")
  })

describe("the peer set over 10,000 nodes", () => {
  it.effect(
    "covers every column all the time, audits all that can be reached in a round, and has no peer come and go",
    () =>
      Effect.gen(function* () {
        const random = uniform(20_261_126)
        const nodes = simulatedNodes(10_000, random)
        const network = simulate(nodes, limitsOf(100), random)
        const isAudited = (peerId: string) => Option.isSome(network.entries.get(peerId)?.auditedAt ?? Option.none())
        const steady = nodes.filter(({ fullHours, isReachable }) => isReachable && fullHours.length === 0)
        const roundMs = yield* runUntil(network, (now) => {
          const connected = network.connected()
          if (now >= 10 * minute) {
            assert.isAtLeast(connected.length, 95)
            assert.isAtMost(connected.length, 125)
            assert.isAtMost(connected.filter(({ groupCount }) => groupCount === 128).length, 30)
          }
          // Looked at now and then, as it takes long.
          if (now % (10 * minute) === 0) {
            assert.deepStrictEqual(weakColumns(connected), { few: 0, onlySupernodes: 0, ofOneClient: 0 }, `at ${now}`)
          }
          return now % (5 * minute) === 0 && steady.every(({ peerId }) => isAudited(peerId))
        })
        // A hundred at a time, for five minutes each, and some to look for them.
        assert.isBelow(roundMs, 2 * (steady.length / 100) * 5 * minute)
        // Those that were full at first were asked again at other hours, and audited.
        const full = nodes.filter(({ fullHours, isReachable }) => isReachable && fullHours.length > 0)
        assert.isAbove(full.filter(({ peerId }) => isAudited(peerId)).length, full.length / 2)

        const { visits } = network
        assert.isAbove(visits.length, 5000)
        // Nobody is sent away while something is open, or before it was looked at properly.
        assert.isTrue(visits.every(({ wasSettled }) => wasSettled))
        assert.isAtLeast(Math.min(...visits.map(({ from, to }) => to - from)), 5 * minute)
        const lastEnd = new Map<string, number>()
        const again: Array<number> = []
        for (const { from, peerId, to } of [...visits].sort((a, b) => a.from - b.from)) {
          const before = lastEnd.get(peerId)
          if (before !== undefined) again.push(from - before)
          lastEnd.set(peerId, to)
        }
        assert.isAtLeast(Math.min(Infinity, ...again), hour)
        // The round is for those who have not been visited.
        assert.isBelow(again.length, visits.length / 20)
      }),
    300_000
  )

  it.effect.each([4, 10, 30])("audits all in a set of %s, in which every peer is needed for some column", (target) =>
    Effect.gen(function* () {
      const random = uniform(11)
      const nodes = simulatedNodes(120, random)
      const network = simulate(nodes, limitsOf(target), random)
      const steady = nodes.filter(({ fullHours, isReachable }) => isReachable && fullHours.length === 0)
      const left = () =>
        steady.filter(({ peerId }) => Option.isNone(network.entries.get(peerId)?.auditedAt ?? Option.none())).length
      let most = 0
      const roundMs = yield* runUntil(network, (now) => {
        most = Math.max(most, network.connected().length)
        return left() === 0 || now > 12 * hour
      })
      assert.strictEqual(left(), 0)
      assert.isAtMost(most, target + Math.max(4, Math.ceil(target * 0.35)))
      assert.isBelow(roundMs, 6 * (steady.length / target) * 5 * minute)
    })
  )

  it.effect("leaves those alone that it cannot reach, ever longer, and keeps all of a small network", () =>
    Effect.gen(function* () {
      const random = uniform(7)
      const nodes = simulatedNodes(80, random)
      const network = simulate(nodes, limitsOf(100), random)
      yield* runUntil(network, (now) => now === 6 * hour)
      const gone = nodes.filter(({ isReachable }) => !isReachable)
      assert.isAbove(gone.length, 10)
      // After 5, 10, 20 ... minutes: seven times in six hours.
      assert.isAtMost(network.dials(), nodes.length * 8)
      for (const { peerId } of gone) assert.isAtMost(network.entries.get(peerId)?.failures ?? Infinity, 8)
      const steady = nodes.filter(({ fullHours, isReachable }) => isReachable && fullHours.length === 0)
      const present = new Set(network.connected().map(({ peerId }) => peerId))
      assert.deepStrictEqual(
        steady.filter(({ peerId }) => !present.has(peerId)),
        []
      )
      assert.deepStrictEqual(network.visits, [])
    })
  )
})
