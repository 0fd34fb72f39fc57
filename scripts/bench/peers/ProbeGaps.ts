import type { LogLine } from "../../../src/events/EventLog.ts"

/** How often each of the peers was probed, by the event log. */
export interface ProbeGaps {
  readonly probes: number
  /** Combinations that were verified, and those that came to anything else. */
  readonly verified: number
  readonly otherwise: number
  /** Seconds from the end of one probe of a peer to that of its next, the ends of the time that was measured included. */
  readonly gaps: ReadonlyArray<number>
}

/** `from` and `until` are Unix milliseconds. */
export const probeGaps = (
  lines: Iterable<LogLine>,
  peers: ReadonlyArray<string>,
  from: number,
  until: number
): ProbeGaps => {
  const ends = new Map<string, Array<number>>(peers.map((peerId) => [peerId, [from]]))
  let probes = 0
  let verified = 0
  let otherwise = 0
  for (const line of lines) {
    if (line._tag !== "Sampling") continue
    const { finishedAt, job, outcomes } = line.probe
    if (finishedAt < from || finishedAt >= until) continue
    probes++
    ends.get(job.peerId)?.push(finishedAt)
    for (const { outcome } of outcomes) {
      if (outcome === "success") verified++
      else otherwise++
    }
  }
  const gaps = [...ends.values()].flatMap((times) =>
    [...times, until].flatMap((time, index, all) => {
      const before = all[index - 1]
      return before === undefined ? [] : [(time - before) / 1000]
    })
  )
  return { probes, verified, otherwise, gaps }
}
