import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Logger, Metric, Option } from "effect"
import { doubts as gauge } from "../../src/domain/metrics/Metrics.ts"
import { Doubts } from "../../src/runtime/Doubts.ts"

describe("Doubts", () => {
  it.effect("are kept a sentence a kind, logged when they begin and when they end, and shown as a metric", () => {
    const logged: Array<string> = []
    const logger = Logger.make(({ annotations, logLevel, message }) => {
      logged.push([logLevel.label, String(message), ...annotations].join(" "))
    })
    return Effect.gen(function* () {
      const doubts = yield* Doubts
      const shown = Effect.map(Metric.value(gauge.of({ kind: "clock" })), ({ value }) => value)
      assert.deepStrictEqual(yield* doubts.all, [])
      yield* doubts.set("clock", Option.none())
      yield* doubts.set("head", Option.some("the head is old"))
      assert.deepStrictEqual(yield* doubts.forbids, Option.none())
      yield* doubts
        .set("clock", Option.some("the clock is 60 s slow"))
        .pipe(Effect.annotateLogs({ node: "http://localhost" }))
      yield* doubts.set("clock", Option.some("the clock is 61 s slow"))
      assert.deepStrictEqual(yield* doubts.all, ["the clock is 61 s slow", "the head is old"])
      assert.deepStrictEqual(yield* doubts.forbids, Option.some("the clock is 61 s slow"))
      assert.strictEqual(yield* shown, 1)
      yield* doubts.set("clock", Option.none())
      yield* doubts.set("clock", Option.none())
      assert.deepStrictEqual(yield* doubts.all, ["the head is old"])
      assert.strictEqual(yield* shown, 0)
      assert.deepStrictEqual(logged, [
        "WARN in doubt: the head is old",
        "WARN in doubt: the clock is 60 s slow node,http://localhost",
        "INFO no longer in doubt: the clock is 61 s slow"
      ])
    }).pipe(Effect.provide(Layer.merge(Doubts.layer, Logger.replace(Logger.defaultLogger, logger))))
  })

  it.effect("are of the engine alone, unless someone around it keeps an account already", () =>
    Effect.gen(function* () {
      const engine = Effect.provide(Doubts, Doubts.layerUnlessShared)
      assert.notStrictEqual(yield* engine, yield* engine)
      yield* Effect.gen(function* () {
        assert.strictEqual(yield* engine, yield* Doubts)
      }).pipe(Effect.provide(Doubts.layer))
    })
  )
})
