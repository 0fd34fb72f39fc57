import { Clock, Context, Effect, Layer } from "effect"
import { type ForkName, numberOfColumns, slotAt, slotStart } from "../domain/network/Chain.ts"
import { dropOldest } from "../domain/Bounded.ts"
import type { PeerId, Root, Slot } from "../domain/Primitives.ts"
import { Externs } from "../host/Externs.ts"

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
  }
>() {
  static readonly layer = Layer.scoped(
    ColumnArrivals,
    Effect.suspend(() => make)
  )
}

interface Arrived {
  readonly ms: number
  readonly from: PeerId
}

interface Pending {
  readonly slot: Slot
  readonly arrived: Map<number, Arrived>
  readonly duplicates: Map<number, number>
}

const make = Effect.gen(function* () {
  const { chain } = yield* Externs
  const blocks = new Map<Root, Pending>()

  const pendingOf = (slot: Slot, root: Root): Pending => {
    const pending = blocks.get(root) ?? { slot, arrived: new Map(), duplicates: new Map() }
    blocks.set(root, pending)
    dropOldest(blocks, mostBlocks)
    return pending
  }

  const again = ({ duplicates }: Pending, column: number): void =>
    void duplicates.set(column, (duplicates.get(column) ?? 0) + 1)

  const duplicate = ({ blockRoot, column, slot }: ColumnPlace) =>
    Effect.map(Clock.currentTimeMillis, (now) => {
      if (column < numberOfColumns && Math.abs(slotAt(chain, now) - slot) <= nearSlots) {
        again(pendingOf(slot, blockRoot), column)
      }
    })

  const accepted = ({ at, blockRoot, column, from, slot }: AcceptedColumn) =>
    Effect.sync(() => {
      const pending = pendingOf(slot, blockRoot)
      if (pending.arrived.has(column)) return again(pending, column)
      pending.arrived.set(column, { ms: at - slotStart(chain, slot), from })
    })

  return ColumnArrivals.of({ accepted, duplicate })
})

/** Slots around the one that is running of which duplicates are counted. */
const nearSlots = 32
const mostBlocks = 256
