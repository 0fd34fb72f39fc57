import { Clock, Context, Duration, Effect, Layer, Metric, Option, Schedule } from "effect"
import { columnArrivalSeconds, numbersOfColumns } from "../domain/metrics/Metrics.ts"
import { type ForkName, numberOfColumns, slotAt, slotStart } from "../domain/network/Chain.ts"
import type { PeerId, Root, Slot } from "../domain/Primitives.ts"
import { EventBus } from "../events/EventBus.ts"
import { Externs } from "../host/Externs.ts"
import { daemon } from "../runtime/Daemon.ts"
import { makeClientOf } from "./ClientsByPeer.ts"
import { makeOwnDoubts } from "./OwnDoubts.ts"
import { makePendingBlocks } from "./PendingBlocks.ts"
import { makeSettleBlocks } from "./SettleBlocks.ts"

/** A column that was pushed to us and accepted: every rule of its topic holds. */
export interface AcceptedColumn {
  readonly slot: Slot
  readonly blockRoot: Root
  /** Blobs of the block. */
  readonly blobs: number
  readonly column: number
  /** Who sent it to us first. */
  readonly from: PeerId
  /** When it came, before it was verified: Unix milliseconds. */
  readonly at: number
  /** SSZ, decompressed. */
  readonly bytes: number
  /** `0x` and 40 digits. */
  readonly messageId: string
  readonly topic: string
  readonly fork: ForkName
  /** Of the signed header that comes with it; none from Gloas on. */
  readonly header?: ColumnHeader | undefined
}

interface ColumnHeader {
  readonly proposerIndex: number
  readonly parentRoot: Root
  readonly stateRoot: Root
}

/** Which column of which block. */
export type ColumnPlace = Pick<AcceptedColumn, "slot" | "blockRoot" | "column">

/**
 * When each column of a block came over gossip, from whom first, and how many more times. That says how columns spread, never
 * who stores them: nothing here is mixed with what probes find. It does not say either that the proposer published
 * them: late ones may have been computed by some node that had half of them.
 */
export class ColumnArrivals extends Context.Tag("dasmon/ColumnArrivals")<
  ColumnArrivals,
  {
    /** A column was accepted; a second one of the same column counts as a duplicate. */
    readonly accepted: (column: AcceptedColumn) => Effect.Effect<void>
    /** The same column came again, also while the first is still being verified. Nothing is made of one that never is accepted. */
    readonly duplicate: (place: ColumnPlace) => Effect.Effect<void>
    /** It came, and for our own trouble it was not judged: if it never is accepted, it is not called missed. */
    readonly unjudged: (place: ColumnPlace) => Effect.Effect<void>
    /** Something came on the topic of this column just now that was not even looked at. */
    readonly unheard: (column: number) => Effect.Effect<void>
  }
>() {
  static readonly layer = Layer.scoped(
    ColumnArrivals,
    Effect.suspend(() => make)
  )
}

const make = Effect.gen(function* () {
  const { chain } = yield* Externs
  const bus = yield* EventBus
  const clientOf = yield* makeClientOf
  const pending = makePendingBlocks()
  const doubts = makeOwnDoubts()
  const { all, due } = yield* makeSettleBlocks(pending, doubts)
  // Runs once the daemon has ended, and puts what that left to the history, which closes after it.
  yield* Effect.addFinalizer(() =>
    Effect.flatMap(Effect.timeoutOption(Effect.interruptible(all), closingLimit), (done) =>
      Option.isSome(done)
        ? Effect.void
        : Effect.logError("the last arrivals of columns were not written: the history takes nothing")
    )
  )
  yield* daemon("recording of how columns arrive", due, Schedule.spaced(interval))

  const duplicate = ({ blockRoot, column, slot }: ColumnPlace) =>
    Effect.map(Clock.currentTimeMillis, (now) => {
      if (column < numberOfColumns && Math.abs(slotAt(chain, now) - slot) <= nearSlots) pending.again(blockRoot, column)
    })

  const unjudged = ({ blockRoot, column, slot }: ColumnPlace) =>
    Effect.map(Clock.currentTimeMillis, (now) => {
      if (column < numberOfColumns && Math.abs(slotAt(chain, now) - slot) <= nearSlots)
        doubts.ofColumn(blockRoot, column)
    })
  const unheard = (column: number) =>
    Effect.map(Clock.currentTimeMillis, (now) => doubts.ofTopic(slotAt(chain, now), column))

  const accepted = Effect.fnUntraced(function* (arrived: AcceptedColumn) {
    const { at, blobs, blockRoot: root, bytes, column, fork, from, header, messageId, slot, topic } = arrived
    const client = yield* clientOf(from)
    const arrivalMs = at - slotStart(chain, slot)
    if (!pending.arrive({ slot, root, blobs, column, ms: arrivalMs, peer: { peerId: from, client } })) return
    const index = numbersOfColumns[column]
    // A histogram's sum must not go down.
    if (index !== undefined) {
      yield* Metric.update(columnArrivalSeconds.of({ column: index }), Math.max(0, arrivalMs) / 1000)
    }
    yield* bus.publish({
      _tag: "ColumnArrival",
      slot,
      blockRoot: root,
      blobs,
      column,
      at,
      arrivalMs,
      peerId: from,
      client,
      fork,
      topic,
      messageId,
      bytes,
      header: header ?? null
    })
  })

  return ColumnArrivals.of({ accepted, duplicate, unjudged, unheard })
})

/** Slots around the one that is running of which duplicates are counted. */
const nearSlots = 32
const interval = Duration.seconds(2)
const closingLimit = Duration.seconds(2)
