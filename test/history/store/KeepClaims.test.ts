import { assert, describe, it } from "@effect/vitest"
import { FastCheck, Option } from "effect"
import { type ClaimHistory, joinMarginSlots, replayClaims } from "../../../src/domain/peer/ClaimHistory.ts"
import type { Claim } from "../../../src/domain/peer/Claim.ts"
import { claimsPerDay, claimToLeaveOut } from "../../../src/history/store/KeepClaims.ts"
import { claim, network } from "./Fixture.ts"

const dayMs = 86_400_000
const start = 19_700 * dayMs

/** Counts as a node id would have them: a greater one takes in the columns of a smaller one. */
const claimOf = (custodyGroupCount: number, observedAt: number): Claim =>
  claim({ custodyGroupCount, columns: Array.from({ length: custodyGroupCount }, (_, column) => column), observedAt })

/** What is kept of claims that come one after the other. */
const keep = (claims: ReadonlyArray<Claim>): ReadonlyArray<Claim> => {
  const kept: Array<Claim> = []
  for (const claim of claims) {
    kept.push(claim)
    const place = claimToLeaveOut(kept.toReversed())
    if (place !== undefined) kept.splice(kept.length - 1 - place, 1)
  }
  return kept
}

const replay = (claims: ReadonlyArray<Claim>): ClaimHistory => Option.getOrThrow(replayClaims(network, claims))

describe("the claims of a peer that moves its claim at every look", () => {
  it("are few a day: the first, the newest, and the lowest between them", () => {
    const claims = Array.from({ length: 8640 }, (_, look) =>
      claimOf(look === 4000 ? 4 : 8 + (look % 2), start + look * 10_000)
    )
    const kept = keep(claims)
    assert.lengthOf(kept, claimsPerDay)
    assert.deepStrictEqual(kept.slice(0, 8), claims.slice(0, 8))
    assert.deepStrictEqual(kept[8], claims[4000])
    assert.deepStrictEqual(kept.slice(9), claims.slice(-15))
  })

  it("are counted by day", () => {
    const claims = Array.from({ length: 3 * 8640 }, (_, look) => claimOf(8 + (look % 2), start + look * 10_000))
    assert.lengthOf(keep(claims), 3 * claimsPerDay)
  })

  it("oblige the peer to nothing that all of them together did not", () => {
    const changes = FastCheck.array(FastCheck.integer({ min: 4, max: 12 }), { minLength: 20, maxLength: 120 })
    FastCheck.assert(
      FastCheck.property(changes, FastCheck.integer({ min: 1000, max: 900_000 }), (counts, pauseMs) => {
        const claims = counts.map((count, look) => claimOf(count, start + look * pauseMs))
        const [whole, kept] = [replay(claims), replay(keep(claims))]
        assert.deepStrictEqual(kept.current, whole.current)
        assert.strictEqual(kept.watchedFrom, whole.watchedFrom)
        for (const [column, slot] of whole.joined) assert.isAtLeast(kept.joined.get(column) ?? -1, slot)
        // Nor does it get out of what it has claimed ever since.
        const lowest = Math.min(...counts)
        for (let column = 0; column < lowest; column++) assert.isUndefined(kept.joined.get(column))
        const newest = kept.joined.size === 0 ? 0 : Math.max(...kept.joined.values())
        assert.isAtMost(
          newest,
          Math.floor(((claims.at(-1)?.observedAt ?? 0) / 1000 - network.genesisTime) / 12) + joinMarginSlots
        )
      }),
      { seed: 11, numRuns: 300 }
    )
  })
})
