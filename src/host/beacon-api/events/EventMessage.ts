import type { Sse } from "@effect/experimental"
import { Option, Schema } from "effect"
import type { ChainEvent, Head } from "../../../domain/network/Block.ts"
import { RootFromHex } from "../../../domain/Bytes.ts"
import { SafeUint64, Uint64 } from "../BeaconSpec.ts"

/** What the stream has told so far. */
export interface Seen {
  readonly head: Head | undefined
  readonly finalizedSlot: number | undefined
}

/** What one event of the node tells. */
export interface Reading {
  /** What the event may have told at most, where it is lacking. */
  readonly events: ReadonlyArray<ChainEvent>
  /**
   * Why the node is to be asked in place of the event: it cannot be (wholly) read, or the node's execution client has
   * not verified what it tells of (`execution_optimistic`).
   */
  readonly lack: "unreadable" | "optimistic" | undefined
}

/**
 * Reads an event after what was seen; one of another topic tells nothing. `head_v2` is `head` in an envelope with a version. Nodes count a reorg's depth from the old or
 * the new head, so both are covered, and the slot of the common ancestor; a depth that cannot be (2^64-2, of a node that
 * computed below zero) reaches back to what was final.
 */
export const readEvent = ({ data, event }: Sse.Event, seen: Seen): Reading => {
  switch (event) {
    case "head":
      return readHead(asHead(data), seen)
    case "head_v2":
      return readHead(
        Option.map(asHeadV2(data), ({ data }) => data),
        seen
      )
    case "finalized_checkpoint":
      return Option.match(asFinalized(data), {
        onNone: () => unreadable,
        onSome: ({ block, epoch, execution_optimistic }) =>
          execution_optimistic === true
            ? optimistic
            : { events: [{ _tag: "Finalized", epoch, root: block }], lack: undefined }
      })
    case "chain_reorg":
      return readReorg(data, seen)
    default:
      return nothing
  }
}

const nothing: Reading = { events: [], lack: undefined }
const unreadable: Reading = { events: [], lack: "unreadable" }
const optimistic: Reading = { events: [], lack: "optimistic" }

/** A node may tell of one head under both topics, and again when its payload came: the second time is no news. */
const readHead = (told: Option.Option<typeof HeadData.Type>, { head }: Seen): Reading =>
  Option.match(told, {
    onNone: () => unreadable,
    onSome: ({ block, execution_optimistic, slot }) => {
      if (execution_optimistic === true) return optimistic
      return head?.root === block && head.slot === slot
        ? nothing
        : { events: [{ _tag: "Head", head: { slot, root: block } }], lack: undefined }
    }
  })

const readReorg = (data: string, seen: Seen): Reading => {
  const told = Option.getOrUndefined(asReorg(data))
  const slot = told?.slot ?? seen.head?.slot
  if (slot === undefined) return unreadable
  const low = Math.min(slot, seen.head?.slot ?? slot)
  const high = Math.max(slot, seen.head?.slot ?? slot)
  return told === undefined || told.depth > low
    ? { events: [reorgSinceFinality(seen, low, high)], lack: "unreadable" }
    : { events: [reorg(low - told.depth, high)], lack: undefined }
}

/** All that was not final may have changed; `low` and `high` are the two heads' slots. */
export const reorgSinceFinality = ({ finalizedSlot }: Seen, low: number, high: number): ChainEvent =>
  reorg(Math.max(0, Math.min(finalizedSlot ?? low - assumedDepth, low)), high)

const reorg = (first: number, last: number): ChainEvent => ({ _tag: "Reorg", slot: last, depth: last - first + 1 })

/** Slots that a reorg may reach back while it is not known what is final. */
const assumedDepth = 64

const as = <A, I>(schema: Schema.Schema<A, I>) => Schema.decodeOption(Schema.parseJson(schema))
const isOptimistic = { execution_optimistic: Schema.optional(Schema.Boolean) }
const HeadData = Schema.Struct({ slot: SafeUint64, block: RootFromHex, ...isOptimistic })
const asHead = as(HeadData)
const asHeadV2 = as(Schema.Struct({ data: HeadData }))
const asFinalized = as(Schema.Struct({ epoch: SafeUint64, block: RootFromHex, ...isOptimistic }))
const asReorg = as(Schema.Struct({ slot: SafeUint64, depth: Uint64 }))
