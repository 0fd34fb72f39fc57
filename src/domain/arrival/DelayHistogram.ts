import { decodeVarints, encodeVarints } from "./Varints.ts"

/**
 * How often each delay came, by bins that are as fine as their place asks for: 100 ms wide from a second before the slot's
 * start on, 8 ms up to 256 ms, and beyond that a sixteenth of the power of two below it. What is told of it is right
 * to 1/32, or 4 ms.
 */
export type DelayHistogram = ReadonlyMap<number, number>

/** Adds delays of `ms` milliseconds after the slot's start, which may be negative. */
export const addDelay = (histogram: Map<number, number>, ms: number, count = 1): void => {
  const bin = binOf(ms)
  histogram.set(bin, (histogram.get(bin) ?? 0) + count)
}

export const addDelays = (histogram: Map<number, number>, other: DelayHistogram): void => {
  for (const [bin, count] of other) histogram.set(bin, (histogram.get(bin) ?? 0) + count)
}

/** The delay that the share `q` (0 to 1) did not exceed, milliseconds: the middle of its bin; `null` where nothing came. */
export const delayQuantile = (histogram: DelayHistogram, q: number): number | null => {
  const bins = [...histogram].sort(([a], [b]) => a - b)
  const total = bins.reduce((sum, [, count]) => sum + count, 0)
  let left = Math.max(1, Math.ceil(q * total))
  for (const [bin, count] of bins) {
    left -= count
    if (left <= 0) return middleOf(bin)
  }
  return null
}

/** Gaps between the bins and their counts, as varints. */
export const encodeDelays = (histogram: DelayHistogram): Uint8Array => {
  let next = 0
  return encodeVarints(
    [...histogram]
      .sort(([a], [b]) => a - b)
      .flatMap(([bin, count]) => {
        const gap = bin - next
        next = bin + 1
        return [gap, count]
      })
  )
}

/** `undefined` for bytes that are no histogram. */
export const decodeDelays = (bytes: Uint8Array): DelayHistogram | undefined => {
  const values = decodeVarints(bytes)
  if (values === undefined || values.length % 2 !== 0) return undefined
  const histogram = new Map<number, number>()
  let bin = 0
  for (let at = 0; at < values.length; at += 2) {
    bin += values[at] ?? 0
    histogram.set(bin, values[at + 1] ?? 0)
    bin++
  }
  return histogram
}

const binOf = (ms: number): number => {
  if (ms < 0) return Math.max(0, earlyBins + Math.floor(ms / earlyMs))
  const unit = Math.min(Math.floor(ms / unitMs), mostUnits)
  if (unit < evenBins) return earlyBins + unit
  const power = Math.floor(Math.log2(unit))
  const within = Math.floor(unit / 2 ** (power - 4)) - 16
  return earlyBins + evenBins + (power - 5) * 16 + within
}

const middleOf = (bin: number): number => {
  if (bin < earlyBins) return (bin - earlyBins + 0.5) * earlyMs
  const place = bin - earlyBins
  if (place < evenBins) return (place + 0.5) * unitMs
  const width = 2 ** (Math.floor((place - evenBins) / 16) + 1)
  return (16 + ((place - evenBins) % 16) + 0.5) * width * unitMs
}

const earlyMs = 100
const earlyBins = 10
const unitMs = 8
const evenBins = 32
/** About two minutes: later ones are as late as that. */
const mostUnits = 2 ** 14 - 1
