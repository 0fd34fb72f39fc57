import { assert, describe, it } from "@effect/vitest"
import { Effect, Metric, MetricBoundaries } from "effect"
import { render } from "../../../src/http/metrics/Prometheus.ts"
import { parseExposition, valueOf } from "./Exposition.ts"

const rendered = (prefix: string) =>
  Effect.map(Metric.snapshot, (pairs) => render(pairs.filter(({ metricKey }) => metricKey.name.startsWith(prefix))))

describe("the Prometheus text", () => {
  it.effect("holds every kind of metric, escaped, sorted, and together", () =>
    Effect.gen(function* () {
      const odd = Metric.counter("kinds_odd_total", { description: "a \\ and\na line", incremental: true })
      yield* odd.pipe(Metric.tagged("zone", 'say "hi"\n\\'), Metric.tagged("area", "1"), Metric.incrementBy(3))
      yield* odd.pipe(Metric.tagged("area", "0"), Metric.tagged("zone", ""), Metric.incrementBy(1))
      yield* Metric.incrementBy(Metric.counter("kinds_big_total", { bigint: true, incremental: true }), 2n ** 60n)
      yield* Metric.incrementBy(Metric.counter("kinds_updown"), -2)
      yield* Metric.set(Metric.gauge("kinds.with-dots"), -0.25)
      yield* Metric.set(Metric.gauge("kinds_infinite"), Infinity)
      yield* Metric.update(Metric.frequency("kinds_words"), "a")
      const histogram = Metric.histogram("kinds_seconds", MetricBoundaries.fromIterable([0.1, 1]), "How long.")
      for (const value of [0.05, 0.1, 0.5, 7]) yield* Metric.update(histogram, value)

      const text = yield* rendered("kinds")
      const metrics = parseExposition(text)
      assert.deepStrictEqual(
        [...metrics].map(([name, { type }]) => [name, type]),
        [
          ["kinds_big_total", "counter"],
          ["kinds_infinite", "gauge"],
          ["kinds_odd_total", "counter"],
          ["kinds_seconds", "histogram"],
          ["kinds_updown", "gauge"],
          ["kinds_with_dots", "gauge"],
          ["kinds_words", "counter"]
        ]
      )
      assert.strictEqual(metrics.get("kinds_odd_total")?.help, "a \\ and\na line")
      assert.strictEqual(valueOf(metrics, "kinds_odd_total", { area: "1", zone: 'say "hi"\n\\' }), 3)
      assert.strictEqual(valueOf(metrics, "kinds_odd_total", { area: "0", zone: "" }), 1)
      assert.include(text, "kinds_big_total 1152921504606846976\n")
      assert.strictEqual(valueOf(metrics, "kinds_updown"), -2)
      assert.strictEqual(valueOf(metrics, "kinds_with_dots"), -0.25)
      assert.strictEqual(valueOf(metrics, "kinds_infinite"), Infinity)
      assert.strictEqual(valueOf(metrics, "kinds_words", { key: "a" }), 1)
      const buckets = metrics.get("kinds_seconds")?.samples.filter(({ name }) => name === "kinds_seconds_bucket")
      assert.deepStrictEqual(
        buckets?.map(({ labels, value }) => [labels["le"], value]),
        [
          ["0.1", 2],
          ["1", 3],
          ["+Inf", 4]
        ]
      )
      assert.strictEqual(valueOf(metrics, "kinds_seconds_count"), 4)
      assert.closeTo(valueOf(metrics, "kinds_seconds_sum") ?? NaN, 7.65, 1e-9)
    })
  )
})
