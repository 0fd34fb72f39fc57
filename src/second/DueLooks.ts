import type { PeerId } from "../domain/Primitives.ts"
import { setNewest } from "../domain/Bounded.ts"
import type { Subject } from "./Subject.ts"

/**
 * When each peer may be looked at again, and what it is to be asked. Mutable; one owner. All times are Unix milliseconds.
 */
export interface DueLooks {
  /** A probe of the peer has just proved something: it may be asked for from `soon` on, if a look is due by then. */
  readonly offer: (subject: Subject, soon: number) => void
  /** Takes the peer whose look has been due for the longest; nothing more comes for it before it is `rested`. */
  readonly take: (now: number) => Subject | undefined
  /** A look is over: no other before `nextAt`. */
  readonly rested: (peerId: PeerId, nextAt: number) => void
}

interface Entry {
  /** No look before that. */
  nextAt: number
  subject: { readonly subject: Subject; readonly dueAt: number; readonly lacks: boolean } | undefined
  isBusy: boolean
}

/** As many as are tracked, and those that left a while ago: one that comes back is not looked at anew. */
const mostPeers = 16_384

export const makeDueLooks = (): DueLooks => {
  const entries = new Map<PeerId, Entry>()

  const entryOf = (peerId: PeerId): Entry => {
    const known = entries.get(peerId)
    if (known !== undefined) return known
    const entry: Entry = { nextAt: 0, subject: undefined, isBusy: false }
    setNewest(entries, peerId, entry, mostPeers)
    return entry
  }

  return {
    offer: (subject, soon) => {
      const entry = entryOf(subject.job.peerId)
      if (entry.isBusy) return
      const lacks = subject.held.some(({ has }) => !has)
      const { subject: before } = entry
      // What it lacked is kept until it is its turn.
      if (before?.lacks === true && !lacks) return
      // Of the same kind the newest is asked for, unless the turn would never come for all that is new.
      if (before?.lacks === lacks && entry.nextAt <= soon) return
      entry.subject = { subject, dueAt: soon, lacks }
    },
    take: (now) => {
      let longest: { readonly entry: Entry; readonly subject: Subject } | undefined
      let since = Infinity
      for (const entry of entries.values()) {
        if (entry.subject === undefined) continue
        const due = Math.max(entry.nextAt, entry.subject.dueAt)
        if (due > now || due >= since) continue
        since = due
        longest = { entry, subject: entry.subject.subject }
      }
      if (longest === undefined) return undefined
      longest.entry.isBusy = true
      longest.entry.subject = undefined
      return longest.subject
    },
    rested: (peerId, nextAt) => {
      const entry = entryOf(peerId)
      entry.isBusy = false
      entry.nextAt = nextAt
    }
  }
}
