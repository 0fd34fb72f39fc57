import { Effect } from "effect"
import {
  passingAnyOf,
  passingProbability,
  sampleStages,
  samplesPerSlot
} from "../../../src/domain/availability/SampleCount.ts"
import { columnsToReconstruct, numberOfColumns } from "../../../src/domain/network/Chain.ts"
import { makeYielder } from "../../../src/runtime/YieldNow.ts"
import { mostFailures } from "../../../src/availability/SamplingOptions.ts"
import { type Bench, makeRandom, rounded, type Table } from "../Bench.ts"
import { simulateBlock } from "./SimulateBlock.ts"
import { drawn, honestNetwork, troubled } from "./SimulatedNetwork.ts"

/** How surely a block of which columns are withheld is noticed, and that nothing else makes one seem withheld. */
export const sampling: Bench = {
  name: "sampling",
  description: "a block of which f columns are withheld, sampled at simulated peers, against the hypergeometric bound",
  run: ({ quick }) =>
    Effect.gen(function* () {
      const yieldIfDue = makeYielder(20)
      const detection: Array<Table["rows"][number]> = []
      const verdicts: Array<Table["rows"][number]> = []
      let detectionRatio = 1
      for (const withheld of [1, 2, 4, 8, 16, 32, 64, 65, 80, 128]) {
        // Few are noticed of few that are withheld: that takes more trials to be measured as well.
        const trials = (withheld <= 4 ? 20_000 : 4_000) / (quick ? 5 : 1)
        const seen = { noticed: 0 }
        for (let trial = 0; trial < trials; trial++) {
          yield* yieldIfDue
          if (trialOf(withheld, trial, "first answers").isNoticed) seen.noticed++
        }
        const bound = 1 - passingProbability({ count: samplesPerSlot, allowed: 0 }, numberOfColumns - withheld)
        const measured = seen.noticed / trials
        const ratio = Math.max(bound / measured, measured / bound)
        detectionRatio = Math.max(detectionRatio, ratio)
        detection.push([withheld, trials, rounded(measured, 4), rounded(bound, 4), rounded(ratio, 4)])
      }
      for (const withheld of [0, 1, 2, 4, 16, 32, 64, 65, 80, 96, 128]) {
        const trials = quick ? 20 : 200
        const counts = { available: 0, unavailable: 0, undetermined: 0 }
        for (let trial = 0; trial < trials; trial++) {
          yield* yieldIfDue
          counts[trialOf(withheld, trial, "verdict").decision.verdict]++
        }
        const passing = passingAnyOf(stages, numberOfColumns - withheld)
        verdicts.push([
          withheld,
          trials,
          counts.available,
          counts.unavailable,
          counts.undetermined,
          passing.toExponential(2)
        ])
      }
      const trouble = { trials: 0, available: 0, unavailable: 0, undetermined: 0 }
      for (let trial = 0; trial < (quick ? 100 : 2_000); trial++) {
        yield* yieldIfDue
        trouble.trials++
        trouble[troubledTrial(trial).decision.verdict]++
      }
      return [
        {
          title: `Noticed with ${samplesPerSlot} samples: a column of the sample is withheld`,
          columns: ["withheld", "trials", "noticed", "bound", "ratio"],
          rows: detection
        },
        {
          title: "Verdicts at 120 honest peers (a block can be rebuilt while at most 64 are withheld)",
          columns: ["withheld", "trials", "available", "unavailable", "undetermined", "passes the samples"],
          rows: verdicts
        },
        {
          title: "Blocks that can be rebuilt, at honest peers that time out, refuse, are slow, late or behind",
          columns: ["trials", "available", "unavailable", "undetermined"],
          rows: [[trouble.trials, trouble.available, trouble.unavailable, trouble.undetermined]],
          summary: {
            detectionRatio: rounded(detectionRatio, 4),
            falseUnavailable:
              trouble.unavailable +
              verdicts.reduce(
                (sum, [withheld, , , unavailable]) =>
                  Number(withheld) <= columnsToReconstruct ? sum + Number(unavailable) : sum,
                0
              )
          }
        }
      ]
    })
}

const stages = sampleStages(samplesPerSlot, mostFailures)
const network = honestNetwork(120, makeRandom(20_261_127))
/** Of slots of twelve seconds. */
const times = { sampleAt: 4_000, settledAt: 12_000, deadline: 21_000 }

/** `first answers`: only until those sampled first were asked for. */
const trialOf = (withheld: number, trial: number, until: "first answers" | "verdict") => {
  const draw = makeRandom(withheld * 1_000_003 + trial)
  return simulateBlock({
    peers: network,
    withheld: drawn(withheld, draw),
    own: drawn(4, draw),
    stages,
    draw,
    ...times,
    ...(until === "first answers" ? { deadline: times.sampleAt + 500 } : {})
  })
}

/** Up to 64 columns are withheld, up to nine in ten peers are in trouble. */
const troubledTrial = (trial: number) => {
  const draw = makeRandom(77_000_003 + trial)
  return simulateBlock({
    peers: troubled(network, draw() * 0.9, draw),
    withheld: drawn(Math.floor(draw() ** 2 * (columnsToReconstruct + 1)), draw),
    own: drawn(4, draw),
    stages,
    draw,
    ...times
  })
}
