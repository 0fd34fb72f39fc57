import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { bestCandidates, type ProviderCandidate } from "../../../src/domain/peer/Providers.ts"
import { startUptime, upShare, withState } from "../../../src/domain/peer/Uptime.ts"

const changes = fc.array(fc.tuple(fc.boolean(), fc.nat(1000)), { maxLength: 20 })

describe("uptime", () => {
  it("is the share of all time in which it was up, and counts each loss once", () =>
    fc.assert(
      fc.property(changes, fc.nat(1000), (steps, after) => {
        let [uptime, now, isUp, upMs, losses] = [startUptime(0), 0, false, 0, 0]
        for (const [next, ms] of steps) {
          now += ms
          if (isUp) upMs += ms
          if (isUp && !next) losses++
          isUp = next
          uptime = withState(uptime, next, now)
        }
        now += after
        if (isUp) upMs += after
        assert.strictEqual(uptime.losses, losses)
        assert.approximately(upShare(uptime, now), now === 0 ? Number(isUp) : upMs / now, 1e-9)
      })
    ))

  it("takes no harm of a clock that was set back", () => {
    const uptime = withState(withState(startUptime(1000), true, 2000), false, 1500)
    assert.isTrue([900, 1000, 2000].every((now) => upShare(uptime, now) >= 0 && upShare(uptime, now) <= 1))
  })
})

describe("candidates for providers", () => {
  it("are those that are connected and score best, and no more than 64 of any number", () => {
    const candidate = (peerId: string, over: Partial<ProviderCandidate>): ProviderCandidate => ({
      peerId,
      agent: null,
      name: null,
      connected: false,
      score: 0.5,
      reachedAt: null,
      ...over
    })
    const best = bestCandidates([
      candidate("never", {}),
      candidate("before", { reachedAt: 1 }),
      candidate("poor", { connected: true, score: 0.3 }),
      candidate("good", { connected: true, score: 0.9 })
    ])
    assert.deepStrictEqual(
      best.map(({ peerId }) => peerId),
      ["good", "poor", "before", "never"]
    )
    assert.strictEqual(bestCandidates(Array.from({ length: 200 }, (_, n) => candidate(String(n), {}))).length, 64)
  })
})
