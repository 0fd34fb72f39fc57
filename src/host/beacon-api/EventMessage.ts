import type { Sse } from "@effect/experimental"
import { Option, Schema } from "effect"
import type { ChainEvent, Head } from "../../domain/network/Block.ts"
import { RootFromHex } from "../../domain/Bytes.ts"
import { SafeUint64, Uint64 } from "./BeaconSpec.ts"

/** The topics that are asked for. */
export const topics = "head,finalized_checkpoint,chain_reorg"

/** What the stream has told so far. */
export interface Seen {
  readonly head: Head | undefined
  readonly finalizedSlot: number | undefined
}

/** What one event of the node tells. Where it cannot be (wholly) read, `events` are what it may have told at most. */
export interface Reading {
  readonly isReadable: boolean
  readonly events: ReadonlyArray<ChainEvent>
}

/**
 * Reads an event after what was seen; one of another topic tells nothing. Nodes count a reorg's depth from the old or
 * the new head, so both are covered, and the slot of the common ancestor; a depth that cannot be (2^64-2, of a node that
 * computed below zero) reaches back to what was final.
 */
export const readEvent = ({ data, event }: Sse.Event, seen: Seen): Reading => {
  switch (event) {
    case "head":
      return reading(Option.map(asHead(data), ({ block, slot }) => ({ _tag: "Head", head: { slot, root: block } })))
    case "finalized_checkpoint":
      return reading(Option.map(asFinalized(data), ({ block, epoch }) => ({ _tag: "Finalized", epoch, root: block })))
    case "chain_reorg":
      return readReorg(data, seen)
    default:
      return { isReadable: true, events: [] }
  }
}

const reading = (event: Option.Option<ChainEvent>): Reading => ({
  isReadable: Option.isSome(event),
  events: Option.toArray(event)
})

const readReorg = (data: string, seen: Seen): Reading => {
  const told = Option.getOrUndefined(asReorg(data))
  const slot = told?.slot ?? seen.head?.slot
  if (slot === undefined) return { isReadable: false, events: [] }
  const low = Math.min(slot, seen.head?.slot ?? slot)
  const high = Math.max(slot, seen.head?.slot ?? slot)
  return told === undefined || told.depth > low
    ? { isReadable: false, events: [reorgSinceFinality(seen, low, high)] }
    : { isReadable: true, events: [reorg(low - told.depth, high)] }
}

/** All that was not final may have changed; `low` and `high` are the two heads' slots. */
export const reorgSinceFinality = ({ finalizedSlot }: Seen, low: number, high: number): ChainEvent =>
  reorg(Math.max(0, Math.min(finalizedSlot ?? low - assumedDepth, low)), high)

const reorg = (first: number, last: number): ChainEvent => ({ _tag: "Reorg", slot: last, depth: last - first + 1 })

/** Slots that a reorg may reach back while it is not known what is final. */
const assumedDepth = 64

const as = <A, I>(schema: Schema.Schema<A, I>) => Schema.decodeOption(Schema.parseJson(schema))
const asHead = as(Schema.Struct({ slot: SafeUint64, block: RootFromHex }))
const asFinalized = as(Schema.Struct({ epoch: SafeUint64, block: RootFromHex }))
const asReorg = as(Schema.Struct({ slot: SafeUint64, depth: Uint64 }))
