import type { ClientFamily } from "../peer/ClientFamily.ts"
import type { PeerId, Root, Slot } from "../Primitives.ts"

/** What gossip brought of one column of a block; `Peer` is how peers are told apart. */
export interface ArrivedColumn<Peer> {
  readonly column: number
  /** Whether we were on its topic when the slot began: where not, nothing was to be expected. */
  readonly isSubscribed: boolean
  /** `null` where it did not come. */
  readonly arrival: {
    /** Milliseconds after the slot's start; negative before it. */
    readonly ms: number
    readonly peer: Peer
    /** How many more times it came. */
    readonly duplicates: number
  } | null
}

/** Who sent a column first. */
export interface FirstSender {
  readonly peerId: PeerId
  readonly client: ClientFamily
}

/** What gossip brought of one block, or did not though we were on the topics. */
export interface BlockArrivals {
  readonly slot: Slot
  readonly blockRoot: Root
  readonly blobs: number
  /** Start of the slot, Unix milliseconds. */
  readonly startsAt: number
  /** What comes later than this after the slot's start is late, milliseconds: a third of a slot, when attesters decide. */
  readonly lateMs: number
  /** Ascending; those that we were not on and that did not come are left out. */
  readonly columns: ReadonlyArray<ArrivedColumn<FirstSender>>
}

/** Two reports of one block, the earlier first: what it tells of an arrival stays, and the other counts as one more copy. */
export const mergeArrivals = <Peer>(
  earlier: ReadonlyArray<ArrivedColumn<Peer>>,
  later: ReadonlyArray<ArrivedColumn<Peer>>
): ReadonlyArray<ArrivedColumn<Peer>> => {
  const columns = new Map(earlier.map((entry) => [entry.column, entry]))
  for (const entry of later) {
    const known = columns.get(entry.column)
    columns.set(entry.column, known === undefined ? entry : mergeColumn(known, entry))
  }
  return [...columns.values()].sort((a, b) => a.column - b.column)
}

const mergeColumn = <Peer>(known: ArrivedColumn<Peer>, later: ArrivedColumn<Peer>): ArrivedColumn<Peer> => {
  const isSubscribed = known.isSubscribed || later.isSubscribed
  if (known.arrival === null || later.arrival === null) {
    return { column: known.column, isSubscribed, arrival: known.arrival ?? later.arrival }
  }
  const duplicates = known.arrival.duplicates + later.arrival.duplicates + 1
  return { column: known.column, isSubscribed, arrival: { ...known.arrival, duplicates } }
}
