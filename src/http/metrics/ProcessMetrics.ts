import { monitorEventLoopDelay, PerformanceObserver, constants } from "node:perf_hooks"
import { Clock, Effect, Metric, Predicate, Schedule } from "effect"
import * as Metrics from "../../domain/metrics/Metrics.ts"
import { daemon } from "../../runtime/Daemon.ts"
import { version } from "../../Version.ts"

/** Keeps the metrics of the process until the scope closes; `also` is run whenever they are read. */
export const watchProcess = Effect.fnUntraced(function* (also: Effect.Effect<void>) {
  const startedAt = (yield* Clock.currentTimeMillis) / 1000 - process.uptime()
  yield* Metric.set(Metrics.startTime, startedAt)
  yield* Metric.set(Metrics.buildInfo.of({ version, node: process.version }), 1)
  yield* observeGarbageCollection
  const delay = yield* Effect.acquireRelease(
    Effect.sync(() => {
      const histogram = monitorEventLoopDelay({ resolution: resolutionMs })
      histogram.enable()
      return histogram
    }),
    (histogram) => Effect.sync(() => histogram.disable())
  )
  let cpu = 0
  const read = Effect.gen(function* () {
    // Before its first sample the histogram holds no number.
    if (delay.max > 0) {
      yield* Metric.set(Metrics.eventLoopDelayMedian, delaySeconds(delay.percentile(50)))
      yield* Metric.set(Metrics.eventLoopDelayP99, delaySeconds(delay.percentile(99)))
      yield* Metric.set(Metrics.eventLoopDelayMax, delaySeconds(delay.max))
      delay.reset()
    }
    const { external, heapUsed, rss } = process.memoryUsage()
    yield* Metric.set(Metrics.residentMemory, rss)
    yield* Metric.set(Metrics.heapUsed, heapUsed)
    yield* Metric.set(Metrics.externalMemory, external)
    const { system, user } = process.cpuUsage()
    const used = (system + user) / 1e6
    yield* Metric.incrementBy(Metrics.cpuSeconds, used - cpu)
    cpu = used
    yield* also
  })
  yield* daemon("metrics of the process", read, Schedule.spaced(interval))
})

/** How often the gauges are read. */
const interval = "5 seconds"
/** Milliseconds between two samples of the event-loop delay. */
const resolutionMs = 10

/** The histogram holds nanoseconds from one sample to the next, so the time in between that was asked for goes off. */
const delaySeconds = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e9 - resolutionMs / 1e3)

const observeGarbageCollection = Effect.acquireRelease(
  Effect.sync(() => {
    const observer = new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        Metrics.garbageCollectionSeconds.of({ kind: kindOf(entry) }).unsafeUpdate(entry.duration / 1000, [])
      }
    })
    observer.observe({ entryTypes: ["gc"] })
    return observer
  }),
  (observer) => Effect.sync(() => observer.disconnect())
)

const kindOf = (entry: object) => {
  const detail = Predicate.hasProperty(entry, "detail") ? entry.detail : undefined
  switch (Predicate.hasProperty(detail, "kind") ? detail.kind : undefined) {
    case constants.NODE_PERFORMANCE_GC_MINOR:
      return "minor"
    case constants.NODE_PERFORMANCE_GC_INCREMENTAL:
      return "incremental"
    case constants.NODE_PERFORMANCE_GC_WEAKCB:
      return "weak"
    default:
      return "major"
  }
}
