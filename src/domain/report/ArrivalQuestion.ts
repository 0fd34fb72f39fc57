import { Schema } from "effect"
import { clientFamilies } from "../peer/ClientFamily.ts"
import { PeerId, Slot } from "../Primitives.ts"

/**
 * What a history can be asked about column gossip, and what it answers: how columns spread, never who stores them. A late
 * column may be one that was computed by a node that had half of them: that it came does not prove that the proposer
 * published it.
 */

/** By column, by day, or by the client of whoever sent it first. */
export const ArrivalsBy = Schema.Literal("arrival", "arrival-day", "arrival-client")
export type ArrivalsBy = typeof ArrivalsBy.Type

const Day = Schema.optional(Schema.Int.pipe(Schema.between(0, 1_000_000)))

export const ArrivalsOptions = Schema.Struct({
  by: ArrivalsBy,
  /** Days of UTC, counted from 1970, of the slots; both included, everything that is kept without them. */
  since: Day,
  until: Day,
  limit: Schema.optional(Schema.Int.pipe(Schema.between(1, 100_000)))
})

/** Milliseconds after the slot's start, right to 1/32; `null` where nothing came. */
const Delay = Schema.NullOr(Schema.Number)

export const ArrivalsRow = Schema.Struct({
  /** A column, a day such as `2026-01-31`, or a client. */
  group: Schema.Union(Schema.String, Schema.Int),
  /** Columns of blocks (of one column: blocks) that were expected, since we were on the topic; `null` by client. */
  expected: Schema.NullOr(Schema.Int),
  /** Of those, the ones that did not come. */
  missed: Schema.NullOr(Schema.Int),
  /** Columns that came, expected or not. */
  arrived: Schema.Int,
  /** Of those, the ones that came after a third of the slot, when attesters decide. */
  late: Schema.Int,
  /** Between 0 and 1; `null` where nothing came. */
  lateShare: Schema.NullOr(Schema.Number),
  p50: Delay,
  p90: Delay,
  p99: Delay,
  /** Copies that came after the first. */
  duplicates: Schema.Int
}).annotations({ identifier: "ArrivalsRow" })
export type ArrivalsRow = typeof ArrivalsRow.Type

export const Arrivals = Schema.Struct({
  rows: Schema.Array(ArrivalsRow),
  /** Whether there are more rows than were asked for. */
  more: Schema.Boolean
})

export const SlotArrivalsOptions = Schema.Struct({ slot: Slot.pipe(Schema.lessThanOrEqualTo(2 ** 31)) })

/** When the columns of the blocks of one slot came, as far as that is written: half a minute later. */
export const SlotArrivals = Schema.Array(
  Schema.Struct({
    /** `0x` and the first 32 digits of the block's root. */
    rootPrefix: Schema.String,
    blobs: Schema.Int,
    columns: Schema.Array(
      Schema.Struct({
        column: Schema.Int,
        /** Whether we were on its topic. */
        isSubscribed: Schema.Boolean,
        /** `null` where it did not come. */
        arrival: Schema.NullOr(
          Schema.Struct({
            /** After the slot's start. */
            ms: Schema.Number,
            peerId: PeerId,
            client: Schema.Literal(...clientFamilies),
            duplicates: Schema.Int
          })
        )
      })
    )
  })
)
export type SlotArrivals = typeof SlotArrivals.Type
