import type { Event, EventOf } from "../domain/Event.ts"
import type { Slot } from "../domain/Primitives.ts"

/** The columns of one block that came by gossip, until now. */
interface Arrived {
  readonly slot: Slot
  readonly blockRoot: string
  readonly columns: number
  /** Milliseconds after the start of the slot. */
  readonly first: number
  readonly last: number
}

/**
 * What there is to say of slots. Where `everySlot` is to be told: when the columns of a block came by gossip, once a later
 * block's begin to come. Mutable; one owner.
 */
export const makeSlotLines = (everySlot: boolean) => {
  let arrived: Arrived | undefined
  let told = -1

  const line = ({ columns, first, last, slot }: Arrived): string => {
    told = slot
    const many = columns === 1 ? "1 column" : `${columns} columns`
    return `slot ${slot}: ${many} by gossip, first ${first} ms, last ${last} ms`
  }

  const arrival = ({ arrivalMs, blockRoot, slot }: EventOf<"ColumnArrival">): ReadonlyArray<string> => {
    if (slot <= told) return []
    const before = arrived
    if (before === undefined || slot > before.slot || blockRoot !== before.blockRoot) {
      arrived = { slot, blockRoot, columns: 1, first: arrivalMs, last: arrivalMs }
      return before === undefined ? [] : [line(before)]
    }
    arrived = {
      ...before,
      columns: before.columns + 1,
      first: Math.min(before.first, arrivalMs),
      last: Math.max(before.last, arrivalMs)
    }
    return []
  }

  return (event: Event): ReadonlyArray<string> => (everySlot && event._tag === "ColumnArrival" ? arrival(event) : [])
}
