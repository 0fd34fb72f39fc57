import { addDelays, type DelayHistogram, delayQuantile } from "../../domain/arrival/DelayHistogram.ts"
import { defaultLimit } from "../../domain/report/Question.ts"
import type { Arrivals, ArrivalsRow } from "../../domain/report/ArrivalQuestion.ts"

/** What is added up to one row of the report. */
export interface ArrivalPart {
  readonly group: string | number
  readonly arrived: number
  readonly late: number
  readonly duplicates: number
  readonly delays: DelayHistogram
}

export interface ExpectedPart {
  readonly group: string | number
  readonly expected: number
  readonly missed: number
}

/** The rows of the report, by their groups. Without `expected` nothing is said of what was expected. */
export const summariseArrivals = (
  parts: Iterable<ArrivalPart>,
  expected: Iterable<ExpectedPart> | undefined,
  limit = defaultLimit
): typeof Arrivals.Type => {
  const groups = new Map<string | number, Sum>()
  const sumOf = (group: string | number): Sum => {
    const sum = groups.get(group) ?? { arrived: 0, late: 0, duplicates: 0, expected: 0, missed: 0, delays: new Map() }
    groups.set(group, sum)
    return sum
  }
  for (const part of parts) {
    const sum = sumOf(part.group)
    sum.arrived += part.arrived
    sum.late += part.late
    sum.duplicates += part.duplicates
    addDelays(sum.delays, part.delays)
  }
  for (const part of expected ?? []) {
    const sum = sumOf(part.group)
    sum.expected += part.expected
    sum.missed += part.missed
  }
  const rows = [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([group, sum]) => rowOf(group, sum, expected !== undefined))
  return { rows: rows.slice(0, limit), more: rows.length > limit }
}

interface Sum {
  arrived: number
  late: number
  duplicates: number
  expected: number
  missed: number
  readonly delays: Map<number, number>
}

const rowOf = (
  group: string | number,
  { arrived, delays, duplicates, expected, late, missed }: Sum,
  isExpected: boolean
): ArrivalsRow => ({
  group,
  expected: isExpected ? expected : null,
  missed: isExpected ? missed : null,
  arrived,
  late,
  lateShare: arrived === 0 ? null : late / arrived,
  p50: delayQuantile(delays, 0.5),
  p90: delayQuantile(delays, 0.9),
  p99: delayQuantile(delays, 0.99),
  duplicates
})
