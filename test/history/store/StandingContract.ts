import { assert, describe, it } from "@effect/vitest"
import { Effect, type Layer, Option } from "effect"
import { unrestrained } from "../../../src/domain/peer/Restraint.ts"
import { neutralScore } from "../../../src/domain/peer/Score.ts"
import { mostFailingSlots } from "../../../src/domain/peer/Failing.ts"
import { History, type HistoryError } from "../../../src/history/store/History.ts"
import { outcome, probe, rootOf } from "./Fixture.ts"

/** What every History must do of what a verdict goes by; `layer` gives an empty one each time it is built. */
export const standingContract = (name: string, layer: Layer.Layer<History, HistoryError>): void => {
  describe(`${name} knows how a peer stands, and`, () => {
    const test = <E>(title: string, body: Effect.Effect<void, E, History>) =>
      it.effect(title, () => Effect.provide(body, layer))

    test(
      "keeps the newest standing of a peer, and counts what recovered",
      Effect.gen(function* () {
        const history = yield* History
        const suspected = {
          slot: 7,
          blockRoot: rootOf(7),
          columns: [{ column: 3, suspicion: "invalid" as const, check: "header" as const, reason: "another root" }],
          since: 1_700_000_000_000,
          attempts: 2,
          askAgainAt: 1_700_000_600_000
        }
        const evasion = { asked: 3, escaped: 2, ordinary: 9, troubled: 1, countedAt: 1_700_000_000_000 }
        const restraint = { level: 4.5, at: 1_700_000_000_123 }
        const score = { value: 0.8125, at: 1_700_000_000_456 }
        yield* history.recordStanding("a", {
          suspicions: [suspected, { ...suspected, slot: 8 }],
          evasion,
          restraint: unrestrained,
          score: neutralScore
        })
        yield* history.recordStanding("b", { suspicions: [], evasion, restraint: unrestrained, score: neutralScore })
        yield* history.recordStanding("a", { suspicions: [suspected], evasion, restraint, score })
        for (const [id, recovered] of [
          ["p1", 2],
          ["p2", 0],
          ["p3", 1]
        ] as const) {
          yield* history.recordProbe(probe(id, "a", [outcome(1, 1, "success")], { recovered }), "answered")
        }
        yield* history.flush
        const { recovered, standing } = yield* history.peer("a")
        assert.deepStrictEqual(standing, { suspicions: [suspected], evasion, restraint, score })
        assert.strictEqual(recovered, 3)
        assert.deepStrictEqual((yield* history.peer("b")).standing, {
          suspicions: [],
          evasion,
          restraint: unrestrained,
          score: neutralScore
        })
      })
    )

    test(
      "tells what a peer failed at of late and has not delivered since, the newest last",
      Effect.gen(function* () {
        const history = yield* History
        const failing = (since: number) => Effect.zipRight(history.flush, history.failing("a", since))
        const missing = (slot: number, column: number) => outcome(slot, column, "missing", "not there")
        const at = (finishedAt: number) => ({ finishedAt, startedAt: finishedAt - 1 })
        yield* history.recordProbe(
          probe("p1", "a", [missing(900, 4), missing(900, 70), missing(7, 1)], at(1000)),
          "answered"
        )
        yield* history.recordProbe(
          probe("p2", "a", [missing(300, 2), outcome(300, 3, "suspected", "left out")], at(500)),
          "answered"
        )
        yield* history.recordProbe(probe("p3", "b", [missing(300, 9)], at(2000)), "answered")
        assert.deepStrictEqual((yield* history.peer("a")).blamedAt, Option.some(1000))
        const old = { slot: 300, columns: [2], at: 500 }
        const first = { slot: 7, columns: [1], at: 1000 }
        assert.deepStrictEqual(yield* failing(0), [old, first, { slot: 900, columns: [4, 70], at: 1000 }])
        assert.deepStrictEqual(yield* failing(501), [first, { slot: 900, columns: [4, 70], at: 1000 }])
        yield* history.recordProbe(
          probe("p4", "a", [outcome(900, 4, "success"), outcome(7, 1, "success")], at(3000)),
          "answered"
        )
        assert.deepStrictEqual(yield* failing(501), [{ slot: 900, columns: [70], at: 3000 }])
        assert.deepStrictEqual(yield* failing(1001), [], "nothing was blamed on it since")
        assert.deepStrictEqual((yield* history.peer("a")).blamedAt, Option.some(1000))
      })
    )

    test(
      "tells of no more slots than a verdict needs",
      Effect.gen(function* () {
        const history = yield* History
        const slots = Array.from({ length: mostFailingSlots + 40 }, (_, index) => 1000 - index)
        yield* Effect.forEach(slots, (slot, index) =>
          history.recordProbe(
            probe(`p${slot}`, "a", [outcome(slot, 1, "missing", "not there")], { finishedAt: index + 1 }),
            "answered"
          )
        )
        yield* history.flush
        assert.deepStrictEqual(
          (yield* history.failing("a", 0)).map(({ slot }) => slot),
          slots.slice(40)
        )
      })
    )
  })
}
