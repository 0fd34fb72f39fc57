/** A strict reader of Prometheus text 0.0.4: anything that the format does not allow throws. */

interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export interface ParsedMetric {
  readonly type: string
  readonly help: string | undefined
  readonly samples: ReadonlyArray<Sample>
}

export const parseExposition = (text: string): ReadonlyMap<string, ParsedMetric> => {
  if (text !== "" && !text.endsWith("\n")) throw new Error("the last line has no end")
  const metrics = new Map<string, { type: string; help: string | undefined; samples: Array<Sample> }>()
  const seen = new Set<string>()
  let current: string | undefined
  let help: { readonly name: string; readonly text: string } | undefined
  for (const line of text.split("\n").slice(0, -1)) {
    const comment = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.*)$/.exec(line)
    if (comment !== null) {
      const [, kind = "", name = "", rest = ""] = comment
      if (metrics.has(name)) throw new Error(`${name} comes twice, or its ${kind} too late`)
      if (kind === "HELP") {
        help = { name, text: unescape(rest, /\\|\n/) }
        continue
      }
      if (!/^(counter|gauge|histogram|summary|untyped)$/.test(rest)) throw new Error(`no type: ${line}`)
      if (help !== undefined && help.name !== name) throw new Error(`HELP of ${help.name} before TYPE of ${name}`)
      metrics.set(name, { type: rest, help: help?.text, samples: [] })
      help = undefined
      current = name
      continue
    }
    const sample = parseSample(line)
    const key = JSON.stringify([sample.name, Object.entries(sample.labels).sort()])
    if (seen.has(key)) throw new Error(`the same sample twice: ${line}`)
    seen.add(key)
    const metric = current === undefined ? undefined : metrics.get(current)
    if (current === undefined || metric === undefined || !belongs(sample, current, metric.type)) {
      throw new Error(`a sample away from its metric: ${line}`)
    }
    if (metric.type === "counter" && !(sample.value >= 0)) throw new Error(`a counter below zero: ${line}`)
    metric.samples.push(sample)
  }
  for (const [name, { samples, type }] of metrics) {
    if (samples.length === 0) throw new Error(`${name} has no sample`)
    if (type === "histogram") checkHistogram(name, samples)
  }
  return metrics
}

/** The value of the sample with exactly these labels. */
export const valueOf = (
  metrics: ReadonlyMap<string, ParsedMetric>,
  name: string,
  labels: Readonly<Record<string, string>> = {}
): number | undefined => {
  const wanted = JSON.stringify(Object.entries(labels).sort())
  return [...metrics.values()]
    .flatMap(({ samples }) => samples)
    .find((sample) => sample.name === name && JSON.stringify(Object.entries(sample.labels).sort()) === wanted)?.value
}

const belongs = ({ labels, name }: Sample, metric: string, type: string): boolean => {
  if (type !== "histogram") return name === metric
  return name === `${metric}_bucket` ? "le" in labels : name === `${metric}_sum` || name === `${metric}_count`
}

const checkHistogram = (name: string, samples: ReadonlyArray<Sample>): void => {
  const series = new Map<string, Array<Sample>>()
  for (const sample of samples) {
    const key = JSON.stringify(Object.entries(sample.labels).filter(([label]) => label !== "le"))
    series.set(key, [...(series.get(key) ?? []), sample])
  }
  for (const [labels, samples] of series) checkBuckets(name, `${name}${labels}`, samples)
}

const checkBuckets = (metric: string, name: string, samples: ReadonlyArray<Sample>): void => {
  const buckets = samples.filter((sample) => sample.name === `${metric}_bucket`)
  const bounds = buckets.map(({ labels }) => number(labels["le"] ?? ""))
  if (bounds.at(-1) !== Infinity) throw new Error(`${name} does not end with +Inf`)
  for (const [index, { value }] of buckets.entries()) {
    const before = buckets[index - 1]
    if (before === undefined) continue
    if ((bounds[index - 1] ?? NaN) >= (bounds[index] ?? NaN)) throw new Error(`${name}: buckets out of order`)
    if (before.value > value) throw new Error(`${name}: buckets are not cumulative`)
  }
  const count = samples.find((sample) => sample.name === `${metric}_count`)
  if (count?.value !== buckets.at(-1)?.value) throw new Error(`${name}: count and +Inf differ`)
}

const parseSample = (line: string): Sample => {
  const match = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/.exec(line)
  if (match === null) throw new Error(`not a sample: ${line}`)
  const [, name = "", set = "", value = ""] = match
  const labels: Record<string, string> = {}
  let rest = set
  while (rest !== "") {
    const label = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,(?=.)|$)/.exec(rest)
    if (label === null) throw new Error(`not a label: ${rest}`)
    const [whole, key = "", text = ""] = label
    if (key in labels) throw new Error(`label ${key} twice: ${line}`)
    labels[key] = unescape(text, /["\\\n]/)
    rest = rest.slice(whole.length)
  }
  return { name, labels, value: number(value) }
}

const number = (text: string): number => {
  if (text === "+Inf") return Infinity
  if (text === "-Inf") return -Infinity
  if (text === "NaN") return NaN
  if (!/^-?\d+(\.\d+)?(e[+-]?\d+)?$/.test(text)) throw new Error(`not a number: ${text}`)
  return Number(text)
}

const unescape = (text: string, needsEscape: RegExp): string => {
  if (needsEscape.test(text.replaceAll(/\\["\\n]/g, ""))) throw new Error(`not escaped: ${text}`)
  return text.replaceAll(/\\(["\\n])/g, (_, character: string) => (character === "n" ? "\n" : character))
}
