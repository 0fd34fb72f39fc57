import { readdirSync, readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Metric } from "effect"
import * as MetricsRecorder from "../../../src/http/metrics/MetricsRecorder.ts"
import { render } from "../../../src/http/metrics/Prometheus.ts"
import { definedNames } from "../../ops/Files.ts"
import { type ParsedMetric, parseExposition } from "./Exposition.ts"
import { makeFakeDasmon } from "../FakeDasmon.ts"

const exported = Effect.gen(function* () {
  const fake = yield* makeFakeDasmon()
  yield* Layer.build(MetricsRecorder.layer.pipe(Layer.provide(fake.layer)))
  const pairs = yield* Metric.snapshot
  return parseExposition(render(pairs.filter(({ metricKey }) => metricKey.name.startsWith("dasmon_"))))
})

const labelsOf = ({ samples }: ParsedMetric): ReadonlySet<string> =>
  new Set(samples.flatMap(({ labels }) => Object.keys(labels)))

describe("every metric", () => {
  it.scoped("is there before anything happened, and named, described and labelled as Prometheus wants it", () =>
    Effect.gen(function* () {
      const metrics = yield* exported
      assert.deepStrictEqual([...metrics.keys()].sort(), [...definedNames].sort())
      for (const [name, metric] of metrics) {
        const { help, samples, type } = metric
        assert.match(name, /^dasmon_[a-z0-9]+(_[a-z0-9]+)*$/)
        assert.match(help ?? "", /^[A-Z0-9].{9,}\.$/, name)
        assert.strictEqual(type === "counter", name.endsWith("_total"), name)
        if (type === "histogram") assert.match(name, /_seconds$/)
        assert.notMatch(name, /_(count|sum|bucket|info_.*)$/)
        assert.notMatch(name, /millis|_ms\b|kib|mib|percent|minutes/, "base units only")
        for (const label of labelsOf(metric)) {
          assert.match(label, /^[a-z]+$/)
          assert.notMatch(label, /peer|slot|address|agent/, `${name}: no bound`)
          // Of the 128 columns one metric is made: as many series as of everything else together.
          if (label === "column") assert.strictEqual(name, "dasmon_column_arrival_seconds")
        }
        const series = new Set(samples.map(({ labels }) => JSON.stringify({ ...labels, le: "" })))
        assert.isAtMost(series.size, 192, name)
      }
      assert.isBelow(
        [...metrics.values()].reduce((sum, { samples }) => sum + samples.length, 0),
        3500
      )
    })
  )

  it("is defined in the one module", () => {
    const root = new URL("../../../src/", import.meta.url)
    const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".ts"))
    for (const path of files.filter((path) => !path.startsWith("domain/metrics/"))) {
      const text = readFileSync(new URL(path, root), "utf8")
      assert.notMatch(text, /Metric\.(counter|gauge|histogram|summary|frequency|timer)\w*\(/, path)
      assert.notMatch(text, /import \{(?! gaugeWhile \}).*MetricFamily/, path)
    }
  })
})
