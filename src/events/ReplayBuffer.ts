import type { Event } from "../domain/Event.ts"
import { jsonSizeOf } from "./EventSize.ts"

/** The newest events, by their sequence numbers. */
export interface ReplayBuffer {
  /** Takes the event whose sequence number follows that of the one before; the oldest make room for it. */
  readonly push: (event: Event) => void
  /** The oldest ones that follow a sequence number; empty when none does. */
  readonly after: (sequence: number) => ReadonlyArray<Event>
  /** Sequence number of the oldest event that is kept; one after the newest if none is. */
  readonly oldest: () => number
  /** About as many bytes as the kept events have as JSON. */
  readonly bytes: () => number
}

export interface ReplayBounds {
  readonly events: number
  /** As JSON, estimated. The newest event is kept however large it is. */
  readonly bytes: number
}

/** For events that are numbered from 1. */
export const makeReplayBuffer = (bounds: ReplayBounds): ReplayBuffer => {
  const events: Array<Event | undefined> = []
  const sizes = new Float64Array(bounds.events)
  let oldest = 1
  let next = 1
  let total = 0

  const isFull = (size: number) => next > oldest && (next - oldest >= bounds.events || total + size > bounds.bytes)
  const forgetOldest = () => {
    const place = oldest % bounds.events
    total -= sizes[place] ?? 0
    events[place] = undefined
    oldest++
  }
  return {
    push: (event) => {
      const size = jsonSizeOf(event)
      while (isFull(size)) forgetOldest()
      const place = next % bounds.events
      events[place] = event
      sizes[place] = size
      total += size
      next++
    },
    after: (sequence) => {
      const found: Array<Event> = []
      let size = 0
      for (let at = Math.max(sequence + 1, oldest); at < next; at++) {
        const place = at % bounds.events
        const event = events[place]
        size += sizes[place] ?? 0
        if (event === undefined || found.length >= most.events || (found.length > 0 && size > most.bytes)) break
        found.push(event)
      }
      return found
    },
    oldest: () => oldest,
    bytes: () => total
  }
}

/** What is handed out at once. */
const most: ReplayBounds = { events: 1024, bytes: 1024 * 1024 }
