import { assert, describe, it } from "@effect/vitest"
import { Duration, Option } from "effect"
import { sidecarBytes } from "../../src/domain/column/Sidecar.ts"
import type { ChainParameters } from "../../src/domain/network/Chain.ts"
import { newPeer, type PeerState } from "../../src/peers/PeerState.ts"
import { makeRequestBudget } from "../../src/peers/RequestBudget.ts"
import { defaultConfig } from "../../src/config/Config.ts"
import { chain, claimsOf, peer, statement } from "../probe/FakeWorld.ts"

/** As mainnet is: at most 21 blobs. */
const mainnet: ChainParameters = {
  ...chain,
  slotDurationMs: 12_000,
  forks: chain.forks.filter(({ name }) => name !== "gloas"),
  blobSchedule: [{ epoch: 0, maxBlobsPerBlock: 21 }]
}

const stateOf = (columns: number, lastProbeAt = Option.none<number>()): PeerState => ({
  ...newPeer(peer),
  agent: Option.some("Lighthouse/v8"),
  claims: Option.some(claimsOf(statement(columns))),
  lastProbeAt
})

const { maxColumns, maxSlots, dailyBytes } = defaultConfig.sampling
const testMs = Duration.toMillis(defaultConfig.testInterval)
const dayMs = 86_400_000

/** A peer that is asked by default for `hours`, every block of so many blobs; what it is asked and when. */
const watch = (columns: number, blobs: number, hours: number, state = stateOf(columns)) => {
  const budget = makeRequestBudget(mainnet, () => state, { testInterval: defaultConfig.testInterval, dailyBytes })
  const asked: Array<{ readonly at: number; readonly bytes: number; readonly combinations: number }> = []
  for (let now = dayMs; now < dayMs + hours * 3_600_000; now += testMs) {
    const limits = budget.sampling(now, false)
    if (Option.isNone(limits)) continue
    const tall = Math.min(columns, maxColumns, limits.value.maxCombinations)
    const count = Math.min(maxSlots, limits.value.maxSlots, Math.floor(limits.value.maxCombinations / tall))
    const job = { peerId: "", startSlot: 0, count, columns: Array.from({ length: tall }, (_, index) => index) }
    const bytes = tall * count * sidecarBytes("fulu", blobs)
    budget.begin(job, [], now)({ requests: 1, bytes }, now)
    asked.push({ at: now, bytes, combinations: tall * count })
  }
  return asked
}

const sum = (asked: ReturnType<typeof watch>) => asked.reduce((sum, { bytes }) => sum + bytes, 0)

describe("what a peer is asked for by default", () => {
  for (const [columns, most] of [
    [4, dailyBytes],
    [8, dailyBytes],
    [128, 4 * dailyBytes]
  ] as const) {
    for (const blobs of [6, 21]) {
      it(`comes to no more than ${most / 2 ** 20} MiB a day with ${columns} columns of ${blobs} blobs, and is spread over it`, () => {
        const first = watch(columns, blobs, 24)
        const burst = most / 16
        assert.isAtMost(sum(first), most + burst)
        assert.isAtLeast(sum(first), 0.97 * most)
        // From its first minute on there is enough to judge it by, and after that it never stands still for long.
        assert.isAtLeast(first.filter(({ at }) => at < dayMs + 60_000).length, 3)
        for (const [index, { at }] of first.slice(1).entries()) assert.isAtMost(at - (first[index]?.at ?? 0), 130_000)
        const later = first.filter(({ at }) => at >= dayMs + 3_600_000)
        assert.isAtMost(Math.max(...later.map(({ bytes }) => bytes)), Math.max(1, columns / 16) * 16 * 45_380)
        const perHour = sum(later) / 23
        assert.isTrue(perHour <= (1.02 * most) / 24 && perHour >= (0.98 * most) / 24)
      })
    }
  }

  it("has no second burst after a restart, or for a peer that comes and goes", () => {
    const known = watch(8, 6, 1, stateOf(8, Option.some(dayMs - 30_000)))
    assert.isAtMost(sum(known), (1.05 * dailyBytes) / 24)
    const away = watch(8, 6, 1, stateOf(8, Option.some(0)))
    assert.isAtLeast(sum(away), dailyBytes / 16)
  })

  it("does not matter to someone who waits, and is no smaller than one request for a slot", () => {
    const budget = makeRequestBudget(mainnet, () => stateOf(8), {
      testInterval: defaultConfig.testInterval,
      dailyBytes: 2 ** 20
    })
    assert.deepStrictEqual(
      Option.map(budget.sampling(dayMs, false), ({ maxCombinations }) => maxCombinations),
      Option.some(1)
    )
    const job = { peerId: "", startSlot: 0, count: 8, columns: [1, 2, 3, 4] }
    budget.begin(job, [], dayMs)({ requests: 1, bytes: 1e12 }, dayMs)
    assert.isTrue(Option.isNone(budget.sampling(dayMs, false)))
    assert.deepStrictEqual(
      Option.map(budget.sampling(dayMs, true), ({ maxCombinations }) => maxCombinations),
      Option.some(8)
    )
    assert.isTrue(Option.isSome(budget.sampling(dayMs + 3 * 3_600_000, false)), "however much it was, it goes on soon")
  })
})
