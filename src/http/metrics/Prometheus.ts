import { type MetricKey, MetricKeyType, type MetricPair, MetricState, Option } from "effect"

/** The media type of `render`'s text. */
export const contentType = "text/plain; version=0.0.4; charset=utf-8"

/**
 * Metrics (`Metric.snapshot`) as Prometheus text, exposition format 0.0.4: metrics by name, samples by label, each
 * metric's samples together after its HELP and TYPE.
 */
export const render = (pairs: ReadonlyArray<MetricPair.MetricPair.Untyped>): string => {
  const metrics = new Map<string, { readonly head: string; readonly samples: Array<string> }>()
  for (const { metricKey, metricState } of pairs) {
    const name = metricKey.name.replaceAll(/[^a-zA-Z0-9_:]/g, "_").replace(/^(?=\d)/, "_")
    let metric = metrics.get(name)
    if (metric === undefined) {
      metric = { head: `${help(name, metricKey)}# TYPE ${name} ${typeOf(metricKey)}\n`, samples: [] }
      metrics.set(name, metric)
    }
    metric.samples.push(samplesOf(name, labelsOf(metricKey), metricState))
  }
  return [...metrics.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { head, samples }]) => head + samples.sort().join(""))
    .join("")
}

type Label = readonly [key: string, value: string]

const help = (name: string, { description }: MetricKey.MetricKey.Untyped): string =>
  Option.match(description, {
    onNone: () => "",
    onSome: (text) => `# HELP ${name} ${text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}\n`
  })

const typeOf = ({ keyType }: MetricKey.MetricKey.Untyped): string => {
  if (MetricKeyType.isHistogramKey(keyType)) return "histogram"
  if (MetricKeyType.isSummaryKey(keyType)) return "summary"
  if (MetricKeyType.isFrequencyKey(keyType)) return "counter"
  // A counter that may go down is a gauge to Prometheus.
  return MetricKeyType.isCounterKey(keyType) && keyType.incremental ? "counter" : "gauge"
}

const labelsOf = ({ tags }: MetricKey.MetricKey.Untyped): ReadonlyArray<Label> =>
  tags
    .filter(({ key }) => key !== "time_unit")
    .map(({ key, value }): Label => [key.replaceAll(/[^a-zA-Z0-9_]/g, "_").replace(/^(?=\d)/, "_"), value])
    .sort(([a], [b]) => (a < b ? -1 : 1))

const samplesOf = (name: string, labels: ReadonlyArray<Label>, state: MetricState.MetricState.Untyped): string => {
  if (MetricState.isCounterState(state)) return sample(name, labels, state.count)
  if (MetricState.isGaugeState(state)) return sample(name, labels, state.value)
  if (MetricState.isFrequencyState(state)) {
    return [...state.occurrences].map(([key, count]) => sample(name, [...labels, ["key", key]], count)).join("")
  }
  const totals = (state: { readonly sum: number; readonly count: number }) =>
    sample(`${name}_sum`, labels, state.sum) + sample(`${name}_count`, labels, state.count)
  if (MetricState.isHistogramState(state)) {
    const bounded = state.buckets.filter(([boundary]) => boundary !== Infinity)
    return (
      [...bounded, [Infinity, state.count] as const]
        .map(([boundary, count]) => sample(`${name}_bucket`, [...labels, ["le", number(boundary)]], count))
        .join("") + totals(state)
    )
  }
  if (MetricState.isSummaryState(state)) {
    return (
      state.quantiles
        .map(([quantile, value]) =>
          sample(
            name,
            [...labels, ["quantile", number(quantile)]],
            Option.getOrElse(value, () => NaN)
          )
        )
        .join("") + totals(state)
    )
  }
  return ""
}

const sample = (name: string, labels: ReadonlyArray<Label>, value: number | bigint): string => {
  const set = labels.map(([key, text]) => `${key}="${escape(text)}"`).join(",")
  return `${name}${set === "" ? "" : `{${set}}`} ${number(value)}\n`
}

const escape = (text: string): string => text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")

const number = (value: number | bigint): string => {
  if (value === Infinity) return "+Inf"
  return value === -Infinity ? "-Inf" : String(value)
}
