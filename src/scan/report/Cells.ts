import { Option } from "effect"
import { isAccountable, type ClaimHistory, owes } from "../../domain/peer/ClaimHistory.ts"
import type { Outcome, Probe } from "../../domain/probe/Job.ts"
import type { Slot } from "../../domain/Primitives.ts"
import type { Cell } from "../../domain/scan/ScanReport.ts"

/** What every combination came to in the end, ascending: what settles nothing takes the place of nothing but its like. */
export const cellsOf = (probes: ReadonlyArray<Probe>, claims: Option.Option<ClaimHistory>): ReadonlyArray<Cell> => {
  const last = new Map<string, Outcome>()
  for (const outcome of probes.flatMap(({ outcomes }) => outcomes)) {
    const key = `${outcome.slot}/${outcome.column}`
    const before = last.get(key)
    if (before === undefined || !settlesNothing(outcome) || settlesNothing(before)) last.set(key, outcome)
  }
  return [...last.values()]
    .map((outcome) => ({
      ...outcome,
      owed: Option.exists(claims, (claims) => owes(claims, outcome.slot, outcome.column))
    }))
    .sort((a, b) => a.slot - b.slot || a.column - b.column)
}

const settlesNothing = ({ outcome }: Outcome): boolean =>
  outcome === "timeout" || outcome === "disconnected" || outcome === "refused"

/** Combinations that the peer answers for, of the slots and columns that were chosen, without a cell. */
export const countUntested = (
  cells: ReadonlyArray<Cell>,
  claims: Option.Option<ClaimHistory>,
  slots: ReadonlyArray<Slot>,
  columns: ReadonlyArray<number>,
  slotsPerEpoch: number
): number => {
  if (Option.isNone(claims)) return 0
  const tested = new Set(cells.map(({ column, slot }) => `${slot}/${column}`))
  const about = { slotsPerEpoch, absence: true }
  return slots.reduce(
    (sum, slot) =>
      sum +
      columns.filter((column) => isAccountable(claims.value, slot, column, about) && !tested.has(`${slot}/${column}`))
        .length,
    0
  )
}
