import { describe, expect, it } from "@effect/vitest"
import { Duration, Effect } from "effect"
import { drawnOf } from "../../scripts/bench/truth/Draws.ts"
import { runFleet } from "../../scripts/bench/truth/Fleet.ts"
import type { Member } from "../../scripts/bench/truth/Member.ts"
import { liarsOf, oneOfEach } from "../../scripts/bench/truth/Fleets.ts"
import { secondTime, slowColumns } from "../../scripts/bench/truth/HonestStores.ts"
import { plainLiars } from "../../scripts/bench/truth/Liars.ts"
import type { Observed } from "../../scripts/bench/truth/Observer.ts"
import { presentRules, type Rules } from "../../scripts/bench/truth/Rules.ts"
import { summaryOf } from "../../scripts/bench/truth/Truth.ts"

/** A chain of a few hundred slots, so that peers are covered, and asked again, within minutes. */
const watched = (members: ReadonlyArray<Member>, hours: number, rules: Rules = presentRules, seconds = 20) =>
  Effect.map(
    runFleet({ seed: 5, hours, testInterval: Duration.seconds(seconds), retentionEpochs: 8, rules, members }),
    summaryOf
  )

const honest = (conduct: typeof secondTime): Member => ({ kind: "honest", conducts: [conduct] })

describe("a simulated fleet", () => {
  it.effect("accuses nobody who is in some trouble", () =>
    Effect.gen(function* () {
      const { combinations, falseAccusations, falseEvasive } = yield* watched(oneOfEach, 0.3)
      expect({ falseAccusations, falseEvasive }).toEqual({ falseAccusations: 0, falseEvasive: 0 })
      expect(combinations).toBeGreaterThan(10_000)
    })
  )

  it.effect("finds liars out", () =>
    Effect.gen(function* () {
      const sound = Array.from({ length: 3 }, (): Member => ({ kind: "honest", conducts: [] }))
      const liars = plainLiars.filter(({ name }) => ["one column", "prune half", "corrupt cells"].includes(name))
      const { caught, escaped, falseAccusations } = yield* watched([...sound, ...liarsOf(liars)], 0.25)
      expect({ caught, escaped, falseAccusations }).toEqual({ caught: 3, escaped: 0, falseAccusations: 0 })
    })
  )

  it.effect("would find out a judge that accuses after one conversation", () =>
    Effect.gen(function* () {
      const peers = [honest(secondTime), honest(secondTime)]
      expect((yield* watched(peers, 0.25)).falseAccusations).toBe(0)
      expect((yield* watched(peers, 0.05, { ...presentRules, accusesAtOnce: true })).falseAccusations).toBe(2)
    })
  )

  it.effect("would find out re-tests that leave the allowed range", () =>
    Effect.gen(function* () {
      const peers = Array.from({ length: 6 }, () => honest(slowColumns))
      const atOnce = { ...presentRules, accusesAtOnce: true }
      expect((yield* watched(peers, 0.2, atOnce, 10)).falseAccusations).toBe(0)
      const old = { ...atOnce, retestsWholeTiles: true }
      expect((yield* watched(peers, 0.7, old, 10)).falseAccusations).toBeGreaterThan(0)
    })
  )
})

describe("what liars are judged by", () => {
  it.effect("meets what is withheld as soon as drawing without replacement would", () =>
    Effect.gen(function* () {
      const few = yield* drawnOf({ unit: "slots", fraction: 0.01 }, 2_048, 1_001)
      expect(few).toMatchObject({ units: 819, withheld: 8, least: 6 })
      expect(few.ratio).toBeLessThanOrEqual(1.1)
      expect(few.ratio).toBeGreaterThan(0.6)
    })
  )

  it("leaves out one that had no time to be found before the end, and counts one that was never met as escaped", () => {
    const minute = 60_000
    const [liar] = plainLiars
    if (liar === undefined) throw new Error("no liars")
    const observed: Observed = {
      member: { kind: "liar", conducts: [liar.make], liar },
      peerId: "",
      agent: "",
      conducts: [],
      combinations: 0,
      samples: 9,
      accused: 0,
      firstAccused: undefined,
      verdicts: new Map(),
      firstHit: { at: 5 * minute, samples: 9 },
      canBeAccusedFrom: 15 * minute,
      turnMs: minute / 6,
      watchedMs: 30 * minute,
      verdict: "compliant",
      findings: {}
    }
    const escapedOf = (change: Partial<Observed>) => {
      const { escaped, liars } = summaryOf([{ ...observed, ...change }])
      return { escaped, liars }
    }
    expect(escapedOf({})).toEqual({ escaped: 1, liars: 1 })
    expect(escapedOf({ watchedMs: 15.5 * minute })).toEqual({ escaped: 0, liars: 0 })
    expect(escapedOf({ firstHit: undefined, canBeAccusedFrom: Infinity })).toEqual({ escaped: 1, liars: 1 })
    expect(escapedOf({ verdicts: new Map([["violating", 15.9 * minute]]) })).toEqual({ escaped: 0, liars: 1 })
    expect(escapedOf({ verdicts: new Map([["violating", 17 * minute]]) })).toEqual({ escaped: 1, liars: 1 })
  })
})
