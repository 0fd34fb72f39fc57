import { Array as Arr } from "effect"
import type { Probe } from "../../../domain/probe/Job.ts"
import type { InvalidCheck, OutcomeKind, SuspicionKind } from "../../../domain/probe/Outcome.ts"

/**
 * Why combinations of a probe failed: one row a combination. When several of a kind have the same reason (a request
 * that failed as a whole) they share one row, without slot and column: it stands for all of that kind in the probe
 * that have no row of their own.
 */
export interface FailureRow {
  readonly slot: number | null
  readonly column: number | null
  readonly blockRoot: string | null
  readonly outcome: OutcomeKind
  readonly suspicion: SuspicionKind | null
  readonly check: InvalidCheck | null
  readonly reason: string | null
}

export const failureRowsOf = (probe: Probe): ReadonlyArray<FailureRow> => {
  const byKind = new Map<OutcomeKind, Array<FailureRow>>()
  for (const { blockRoot, check, column, outcome, reason, slot, suspicion } of probe.outcomes) {
    if (outcome === "success") continue
    const row = {
      slot,
      column,
      blockRoot,
      outcome,
      suspicion: suspicion ?? null,
      check: check ?? null,
      reason: reason ?? null
    }
    const rows = byKind.get(outcome)
    if (rows === undefined) byKind.set(outcome, [row])
    else rows.push(row)
  }
  return [...byKind.values()].flatMap(shareReason)
}

/** Finds the row of a combination among those of its probe. */
export const failureFinder = (rows: ReadonlyArray<FailureRow>) => {
  const own = new Map(rows.map((row) => [key(row.outcome, row.slot, row.column), row]))
  return (outcome: OutcomeKind, slot: number, column: number): FailureRow | undefined =>
    own.get(key(outcome, slot, column)) ?? own.get(key(outcome, null, null))
}

const key = (outcome: OutcomeKind, slot: number | null, column: number | null): string => `${outcome} ${slot} ${column}`

/** `rows` are of one kind: those with the commonest reason, if more than one, become one row. */
const shareReason = (rows: ReadonlyArray<FailureRow>): ReadonlyArray<FailureRow> => {
  const groups = Object.values(Arr.groupBy(rows, ({ check, reason, suspicion }) => `${suspicion} ${check} ${reason}`))
  const commonest = groups.reduce((a, b) => (b.length > a.length ? b : a))
  if (commonest.length === 1) return rows
  return [
    ...groups.filter((group) => group !== commonest).flat(),
    { ...Arr.headNonEmpty(commonest), slot: null, column: null, blockRoot: null }
  ]
}
