import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { type Member, runFleet } from "../../scripts/bench/truth/Fleet.ts"
import { liarsOf, oneOfEach } from "../../scripts/bench/truth/Fleets.ts"
import { secondTime, slowColumns } from "../../scripts/bench/truth/HonestStores.ts"
import { plainLiars } from "../../scripts/bench/truth/Liars.ts"
import { presentRules, type Rules } from "../../scripts/bench/truth/Rules.ts"
import { summaryOf } from "../../scripts/bench/truth/Truth.ts"

/** A chain of a few hundred slots, so that peers are covered, and asked again, within minutes. */
const watched = (members: ReadonlyArray<Member>, hours: number, rules: Rules = presentRules) =>
  Effect.map(runFleet({ seed: 5, hours, retentionEpochs: 8, rules, members }), summaryOf)

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
      const sound = Array.from({ length: 8 }, (): Member => ({ kind: "honest", conducts: [] }))
      const liars = plainLiars.filter(({ name }) => ["one column", "prune half", "corrupt cells"].includes(name))
      const { caught, escaped, falseAccusations } = yield* watched([...sound, ...liarsOf(liars)], 0.3)
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
      expect((yield* watched(peers, 0.45, atOnce)).falseAccusations).toBe(0)
      expect((yield* watched(peers, 0.45, { ...atOnce, retestsWholeTiles: true })).falseAccusations).toBeGreaterThan(0)
    })
  )
})
