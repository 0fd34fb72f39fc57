import type { LogLine } from "../../../src/events/EventLog.ts"
import type { ComplianceRow } from "../../../src/domain/report/Question.ts"

/** What the event log of one run says of the honest peers, and whether anything that was told or recorded is missing. */
export interface Counted {
  /** Of honest peers, that ended within the time that was measured. */
  readonly probes: number
  /** Combinations that were verified in these. */
  readonly verified: number
  /** Combinations of honest peers that came to anything else, by what they came to. */
  readonly otherwise: Readonly<Record<string, number>>
  readonly events: number
  /** Sequence numbers that are not in the log, and probes that are in the log and not in the database. */
  readonly lost: number
}

/** Times are Unix milliseconds. */
export const countOf = (
  lines: Iterable<LogLine>,
  rows: ReadonlyArray<ComplianceRow>,
  honest: ReadonlySet<string>,
  measured: { readonly from: number; readonly until: number }
): Counted => {
  let probes = 0
  let verified = 0
  let events = 0
  let newest = 0
  const otherwise: Record<string, number> = {}
  const told = new Map<string, number>()
  for (const line of lines) {
    if (line._tag === "Gap") continue
    events++
    newest = Math.max(newest, line.sequence)
    if (line._tag !== "Sampling") continue
    const { finishedAt, job, outcomes } = line.probe
    told.set(job.peerId, (told.get(job.peerId) ?? 0) + 1)
    if (!honest.has(job.peerId) || finishedAt < measured.from || finishedAt >= measured.until) continue
    probes++
    for (const { outcome } of outcomes) {
      if (outcome === "success") verified++
      else otherwise[outcome] = (otherwise[outcome] ?? 0) + 1
    }
  }
  const recorded = new Map(rows.map(({ group, probes }) => [group, probes ?? 0]))
  const unrecorded = [...told].reduce(
    (sum, [peerId, count]) => sum + Math.max(0, count - (recorded.get(peerId) ?? 0)),
    0
  )
  return { probes, verified, otherwise, events, lost: newest - events + unrecorded }
}
