import "./Polyfill.ts"
import type { Metrics } from "@libp2p/interface"
import { prometheusMetrics } from "@libp2p/prometheus-metrics"
import { Effect, type Scope } from "effect"
import { register, Registry } from "prom-client"

/** What libp2p measures of itself: connections, dials, streams, traffic by protocol. */
export interface NodeMetrics {
  /** For `createLibp2p`. Of one node: libp2p keeps its metrics by name, for the whole process. */
  readonly component: (components: Parameters<ReturnType<typeof prometheusMetrics>>[0]) => Metrics
  /** Prometheus text, exposition format 0.0.4; every name begins with `libp2p_`. Empty once the scope has closed. */
  readonly exposition: Effect.Effect<string>
}

/** Metrics in a registry of their own, which is emptied with the scope. */
export const makeNodeMetrics: Effect.Effect<NodeMetrics, never, Scope.Scope> = Effect.map(
  Effect.acquireRelease(
    Effect.sync(() => new Registry()),
    (registry) => Effect.sync(() => registry.clear())
  ),
  (registry): NodeMetrics => ({
    component: (components) => {
      const shared = register.getMetricsAsArray().flatMap(({ name }) => register.getSingleMetric(name) ?? [])
      const metrics = prometheusMetrics({ registry, collectDefaultMetrics: false })(components)
      // It has emptied the registry that the whole process shares, which a host may use.
      for (const metric of shared) register.registerMetric(metric)
      // Those of the machine that it adds look at the file system each time.
      for (const { name } of registry.getMetricsAsArray()) {
        if (!name.startsWith(prefix)) registry.removeSingleMetric(name)
      }
      return metrics
    },
    exposition: Effect.tryPromise(() => {
      for (const name of fleeting) registry.getSingleMetric(name)?.reset()
      return registry.metrics()
    }).pipe(
      Effect.timeout("2 seconds"),
      Effect.map(bounded),
      Effect.catchAll((error) => Effect.as(Effect.logDebug("libp2p's metrics cannot be read", error), ""))
    )
  })
)

const prefix = "libp2p_"

/** Gauges that are computed when they are read, but keep what is not there any more. */
const fleeting = [
  "libp2p_protocol_streams_total",
  "libp2p_connection_manager_protocol_streams_per_connection_90th_percentile",
  "libp2p_registrar_topologies"
]

/** Series of one metric, at most. Its labels are directions, protocols, listeners and errors, never peers. */
const maxSeries = 100

/** Without what is not libp2p's own, metrics without a sample, and those with so many that a label must be without bounds. */
const bounded = (text: string): string =>
  text
    .split("\n\n")
    .map((metric) => metric.trim())
    .filter((metric) => {
      const series = metric.split("\n").filter((line) => !line.startsWith("#")).length
      return metric.startsWith(`# HELP ${prefix}`) && series > 0 && series <= maxSeries
    })
    .map((metric) => `${metric}\n`)
    .join("")
