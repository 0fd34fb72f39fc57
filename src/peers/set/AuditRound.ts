import { Duration, Option } from "effect"
import { dayMs } from "../../domain/Day.ts"
import type { AuditProgress } from "../../domain/peer/AuditProgress.ts"
import type { BookEntry } from "../../discovery/book/BookEntry.ts"

/** The audit of all peers, round after round. */
export interface AuditRound {
  /** A peer was audited; `before` is when it was last. Unix milliseconds. */
  readonly audited: (before: Option.Option<number>, now: number) => void
  /** How far it has come; begins the next round when one is done. */
  readonly progress: (
    entries: Iterable<BookEntry>,
    isConnected: (peerId: string) => boolean,
    now: number
  ) => Omit<AuditProgress, "columnsLacking">
}

export const makeAuditRound = (startedAt: number, window: Duration.Duration): AuditRound => {
  let roundSince = startedAt
  /** The moments at which peers were audited the first time in a round, of the last hour. */
  const moments: Array<number> = []
  const windowMs = Duration.toMillis(window)
  return {
    audited: (before, now) => {
      if (Option.exists(before, (at) => at >= roundSince)) return
      moments.push(now)
      while ((moments[0] ?? now) < now - hourMs) moments.shift()
    },
    progress: (entries, isConnected, now) => {
      const counts = { known: 0, reachable: 0, tried: 0, untried: 0, left: 0 }
      const audited = { hour: 0, day: 0, window: 0 }
      for (const entry of entries) {
        counts.known++
        const auditedAt = Option.getOrElse(entry.auditedAt, () => -Infinity)
        if (now - auditedAt <= hourMs) audited.hour++
        if (now - auditedAt <= dayMs) audited.day++
        if (now - auditedAt <= windowMs) audited.window++
        const wasTried = Option.isSome(entry.triedAt) || Option.isSome(entry.reachedAt)
        if (wasTried) counts.tried++
        else if (entry.multiaddrs.length > 0) counts.untried++
        if (!isConnected(entry.peerId) && !isReachable(entry)) continue
        counts.reachable++
        if (auditedAt < roundSince) counts.left++
      }
      // As many of those that were never tried will be reached as of those that were.
      const left = counts.left + counts.untried * (counts.tried === 0 ? 1 : counts.reachable / counts.tried)
      while ((moments[0] ?? now) < now - hourMs) moments.shift()
      const measuredMs = Math.max(leastMeasuredMs, Math.min(hourMs, now - startedAt))
      const peersPerHour = Math.round((moments.length / measuredMs) * hourMs)
      const isDone = left < 1 && counts.reachable > 0
      if (isDone) roundSince = now
      return {
        known: counts.known,
        reachable: counts.reachable,
        audited,
        peersPerHour,
        roundDoneAt: isDone ? now : peersPerHour === 0 ? null : Math.round(now + (left / peersPerHour) * hourMs)
      }
    }
  }
}

/** It was reached, and the last visit came to something. */
export const isReachable = ({ failures, reachedAt }: Pick<BookEntry, "failures" | "reachedAt">): boolean =>
  Option.isSome(reachedAt) && failures === 0

const hourMs = 3_600_000
/** A pace is measured over no less. */
const leastMeasuredMs = 60_000
