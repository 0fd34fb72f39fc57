import { numberOfColumns } from "../../domain/network/Chain.ts"
import type { Outcome } from "../../domain/probe/Job.ts"
import type { Demand } from "./ColumnNeed.ts"

/** How many holders each column is to have among the connected peers. */
export interface ColumnDemand {
  /** What a sampling came to, of one peer. */
  readonly hear: (outcomes: ReadonlyArray<Outcome>, now: number) => void
  readonly at: (now: number) => Demand
}

/**
 * `usual` for each column; more for one that could not be had three times in a row, whomever it was asked of, up to four
 * times as many. What is raised is let down again, a step every ten minutes.
 */
export const makeColumnDemand = (usual: number): ColumnDemand => {
  /** Samplings in a row that did not bring the column. */
  const vain = Array.from({ length: numberOfColumns }, () => 0)
  const raised = new Map<number, { readonly steps: number; readonly since: number }>()

  const stepsOf = (column: number, now: number): number => {
    const found = raised.get(column)
    if (found === undefined) return 0
    const left = found.steps - Math.floor(Math.max(0, now - found.since) / letDownMs)
    if (left <= 0) raised.delete(column)
    return Math.max(0, left)
  }
  const raise = (column: number, now: number): void => {
    vain[column] = 0
    raised.set(column, { steps: Math.min(mostSteps, stepsOf(column, now) + 1), since: now })
  }
  return {
    hear: (outcomes, now) => {
      const brought = new Set<number>()
      const asked = new Set<number>()
      for (const { column, outcome } of outcomes) {
        // What is our own trouble says nothing of how many hold it.
        if (outcome === "unverifiable") continue
        asked.add(column)
        if (outcome === "success") brought.add(column)
      }
      for (const column of asked) {
        const inVain = brought.has(column) ? 0 : (vain[column] ?? 0) + 1
        vain[column] = inVain
        if (inVain >= enough) raise(column, now)
      }
    },
    at: (now) => Array.from({ length: numberOfColumns }, (_, column) => usual * (1 + stepsOf(column, now)))
  }
}

const enough = 3
const mostSteps = 3
const letDownMs = 600_000
