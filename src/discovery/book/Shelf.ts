import { Clock, Effect } from "effect"
import type { PeerId } from "../../domain/Primitives.ts"
import type { AddressBook } from "./AddressBook.ts"
import { type BookEntry, byWorth, heardAgain, newEntry } from "./BookEntry.ts"

/** An address book in memory, and what in it has changed since that was asked last. */
export interface Shelf {
  readonly book: AddressBook["Type"]
  /** Takes up to `most` of the changes that nobody has taken: the entries, and the ids of those that are gone. */
  readonly takeChanges: (most: number) => Changes
  /** Puts changes back that could not be used; what has changed again since is newer. */
  readonly putBack: (changes: Changes) => void
}

export interface Changes {
  readonly changed: ReadonlyArray<BookEntry>
  readonly gone: ReadonlyArray<PeerId>
}

export interface ShelfOptions {
  readonly entries?: Iterable<BookEntry>
  /** Entries that are kept, at most. */
  readonly most?: number
  /** Whether anyone asks for the changes; they are not kept otherwise. */
  readonly isWatched?: boolean
}

export const makeShelf = ({ entries = [], isWatched = false, most = mostEntries }: ShelfOptions = {}): Shelf => {
  const known = new Map<PeerId, BookEntry>()
  const changed = new Set<PeerId>()
  const gone = new Set<PeerId>()

  const put = (entry: BookEntry): void => {
    if (known.get(entry.peerId) === entry) return
    known.set(entry.peerId, entry)
    if (isWatched) changed.add(entry.peerId)
  }
  const makeRoom = (): void => {
    if (known.size <= most) return
    // Many at a time: the order of all is worked out each time.
    const leaving = Math.max(known.size - most, Math.ceil(most / 100))
    for (const { peerId } of [...known.values()].sort(byWorth).slice(0, leaving)) {
      known.delete(peerId)
      changed.delete(peerId)
      if (isWatched) gone.add(peerId)
    }
  }
  for (const entry of entries) known.set(entry.peerId, entry)
  makeRoom()

  return {
    book: {
      entries: () => known,
      hear: (heard) =>
        Effect.map(Clock.currentTimeMillis, (now) => {
          const entry = known.get(heard.address.peerId)
          gone.delete(heard.address.peerId)
          put(entry === undefined ? newEntry(heard, now) : heardAgain(entry, heard, now))
          makeRoom()
        }),
      note: (peerId, change) =>
        Effect.sync(() => {
          const entry = known.get(peerId)
          if (entry !== undefined) put({ ...entry, ...change })
        })
    },
    takeChanges: (atMost) => {
      const taken = [...changed].slice(0, atMost)
      const left = [...gone].slice(0, atMost)
      for (const peerId of taken) changed.delete(peerId)
      for (const peerId of left) gone.delete(peerId)
      return {
        changed: taken.flatMap((peerId) => {
          const entry = known.get(peerId)
          return entry === undefined ? [] : [entry]
        }),
        gone: left
      }
    },
    putBack: (changes) => {
      for (const { peerId } of changes.changed) if (known.has(peerId)) changed.add(peerId)
      for (const peerId of changes.gone) if (!known.has(peerId)) gone.add(peerId)
    }
  }
}

const mostEntries = 20_000
