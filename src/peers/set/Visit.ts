import { Duration, Option } from "effect"
import type { PeerRefused } from "../../domain/probe/Outcome.ts"
import type { BookChange, BookEntry } from "../../discovery/book/BookEntry.ts"

/** How long a visit takes at least, of whom nothing is suspected. */
export interface VisitPace {
  readonly leastStayMs: number
}

/** Some dozen probes: thirty of the intervals between two of them, five minutes at most. */
export const visitPace = (testInterval: Duration.Duration): VisitPace => ({
  leastStayMs: Math.min(5 * minute, Math.max(leastStayMs, 30 * Duration.toMillis(testInterval)))
})

/** How long and how well we have been with a peer that the set chose. Moments are Unix milliseconds. */
export interface Visit {
  /** Connected, without a break; none while it is not. */
  readonly connectedSince: Option.Option<number>
  /** The last probe of it ended, in whatever visit. */
  readonly lastProbeAt: Option.Option<number>
  /** Nothing is suspected of it. */
  readonly isSettled: boolean
  /** It escapes questions, and is not called evasive yet. */
  readonly isCounted: boolean
}

/**
 * Whether a peer has been audited and may go for another. Who is suspected of something stays until that is settled; one
 * that gives new cause all the time is only asked what settles it after a while (see `Peers.rest`), and one that escapes
 * stays for as long as it takes to find that out, or to see that it will not be.
 */
export const mayGo = (visit: Visit, pace: VisitPace, now: number): boolean => {
  if (Option.isNone(visit.connectedSince)) return false
  const stayed = now - visit.connectedSince.value
  const wasProbed = isAudited(visit)
  // Where nothing could be asked for so long, others may have their turn.
  if (!wasProbed) return stayed >= idleStayMs && visit.isSettled
  if (visit.isCounted) return stayed >= countedStayMs
  return stayed >= (visit.isSettled ? pace.leastStayMs : suspectedStayMs)
}

/** Whether the peer was probed in this visit. */
export const isAudited = ({ connectedSince, lastProbeAt }: Pick<Visit, "connectedSince" | "lastProbeAt">): boolean =>
  Option.exists(
    Option.zipWith(connectedSince, lastProbeAt, (since, at) => at >= since),
    (isSince) => isSince
  )

const minute = 60_000
const hour = 60 * minute

/** For whoever probes without a pause. */
const leastStayMs = 10_000
const idleStayMs = 30 * minute
const suspectedStayMs = 30 * minute
const countedStayMs = 12 * hour

/** How a visit ended. */
export interface VisitEnd {
  readonly wasAudited: boolean
  /** It came to nothing by our own doing. */
  readonly isOurs: boolean
  /** How the peer refused us, if it did. */
  readonly refusal: Option.Option<PeerRefused["reason"]>
  /** Until then the peer wants to be left alone (`LeaveAlone`); Unix milliseconds. */
  readonly leftAloneUntil: number
}

/**
 * What is noted of a peer when a visit to it ends at `now`; `jitter` is 0 to 1. Who was audited is let alone for an hour;
 * who is full is asked again after ten minutes, and then at other hours of the day; who cannot be reached, or does not
 * want us, ever more seldom, down to once a day.
 */
export const afterVisit = (entry: BookEntry, end: VisitEnd, now: number, jitter: number): BookChange => {
  if (end.isOurs) return { notBefore: now + 10 * minute }
  const failures = end.wasAudited ? 0 : entry.failures + 1
  const wait = end.wasAudited
    ? hour
    : Option.contains(end.refusal, "too_many_peers")
      ? fullWait(failures)
      : Math.min(24 * hour, 5 * minute * 2 ** (failures - 1))
  return { failures, notBefore: Math.max(end.leftAloneUntil, now + wait * (1 + jitter / 10)) }
}

/** Not in step with the day: a node that is full at noon may have room at night. */
const fullWait = (failures: number): number =>
  failures <= firstWaits.length ? (firstWaits[failures - 1] ?? hour) : (failures % 2 === 0 ? 7 : 11) * hour

const firstWaits = [10 * minute, hour, 5 * hour]
