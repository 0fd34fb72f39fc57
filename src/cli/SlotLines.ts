import type { Event, EventOf } from "../domain/Event.ts"
import type { Slot } from "../domain/Primitives.ts"
import { counted } from "../domain/Text.ts"

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
 * What there is to say of slots: a block that is not available. Where `everySlot` is to be told, the verdict on each block too,
 * and when its columns came by gossip, once a later block's begin to come. Mutable; one owner.
 */
export const makeSlotLines = (everySlot: boolean) => {
  let arrived: Arrived | undefined

  const line = ({ columns, first, last, slot }: Arrived): string =>
    `slot ${slot}: ${counted(columns, "column")} by gossip, first ${first} ms, last ${last} ms`

  const arrival = ({ arrivalMs, blockRoot, slot }: EventOf<"ColumnArrival">): ReadonlyArray<string> => {
    const before = arrived
    if (before !== undefined && slot < before.slot) return []
    if (before === undefined || blockRoot !== before.blockRoot) {
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

  return (event: Event): ReadonlyArray<string> => {
    switch (event._tag) {
      case "ColumnArrival":
        return everySlot ? arrival(event) : []
      case "SlotAvailability":
        return everySlot || event.verdict === "unavailable" ? [verdictLine(event)] : []
      default:
        return []
    }
  }
}

const verdictLine = (event: EventOf<"SlotAvailability">): string => {
  const { absent, decidedAfterMs, peers, present, reason, slot, unanswered, verdict } = event
  const asked = present.length + absent.length + unanswered.length
  const came = `${present.length} of ${counted(asked, "column")} from ${counted(peers, "peer")} by ${decidedAfterMs} ms`
  return verdict === "available"
    ? `slot ${slot} available: ${came}`
    : `slot ${slot} ${verdict === "unavailable" ? "UNAVAILABLE" : verdict}: ${came}: ${reason}`
}
