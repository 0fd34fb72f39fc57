import { Effect, Metric, MetricBoundaries } from "effect"

/** Never goes down while the program runs. */
export const counter = (name: string, description: string): Metric.Metric.Counter<number> =>
  Metric.counter(name, { description, incremental: true })

export const gauge = (name: string, description: string): Metric.Metric.Gauge<number> =>
  Metric.gauge(name, { description })

/** `boundaries`: upper bounds of the buckets, ascending. */
export const histogram = (name: string, boundaries: ReadonlyArray<number>, description: string) =>
  Metric.histogram(name, MetricBoundaries.fromIterable(boundaries), description)

/** The gauge is higher by so much while the effect runs. */
export const gaugeWhile =
  (gauge: Metric.Metric.Gauge<number>, by = 1) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.acquireUseRelease(
      Metric.incrementBy(gauge, by),
      () => effect,
      () => Metric.incrementBy(gauge, -by)
    )

/** The values that each label can have. */
type LabelValues = Readonly<Record<string, ReadonlyArray<string>>>

/** A value for each label. */
type Labels<L extends LabelValues> = { readonly [Label in keyof L]: L[Label][number] }

/** One metric for each combination of its labels' values, all of them known beforehand. */
export interface Family<L extends LabelValues, Type, In, Out> {
  readonly of: (labels: Labels<L>) => Metric.Metric<Type, In, Out>
  readonly members: ReadonlyArray<Metric.Metric<Type, In, Out>>
}

/** `metric` with these labels; it is not to be used without them. */
export const labelled = <const L extends LabelValues, Type, In, Out>(
  metric: Metric.Metric<Type, In, Out>,
  labels: L
): Family<L, Type, In, Out> => {
  const names = Object.keys(labels)
  const members = new Map<string, Metric.Metric<Type, In, Out>>()
  const tagged = (values: ReadonlyArray<string>): Metric.Metric<Type, In, Out> => {
    const key = values.join()
    const known = members.get(key)
    if (known !== undefined) return known
    const made = names.reduce((metric, name, index) => Metric.tagged(metric, name, values[index] ?? ""), metric)
    members.set(key, made)
    return made
  }
  for (const values of combinations(Object.values(labels))) tagged(values)
  return { of: (labels) => tagged(names.map((name) => labels[name] ?? "")), members: [...members.values()] }
}

const combinations = (sets: ReadonlyArray<ReadonlyArray<string>>): ReadonlyArray<ReadonlyArray<string>> =>
  sets.reduce<ReadonlyArray<ReadonlyArray<string>>>(
    (begun, values) => begun.flatMap((before) => values.map((value) => [...before, value])),
    [[]]
  )
