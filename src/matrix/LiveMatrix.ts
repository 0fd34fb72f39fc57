import { Clock, Context, Effect, Layer, Metric, PubSub, Stream } from "effect"
import { matrixBytes } from "../domain/metrics/Metrics.ts"
import { columnsToReconstruct, type ForkName, numberOfColumns, slotAt, slotStart } from "../domain/network/Chain.ts"
import { SubscribedColumns } from "../arrival/SubscribedColumns.ts"
import type { MatrixProgress, MatrixStage } from "../domain/matrix/MatrixProgress.ts"
import type { BlockMatrix, MatrixSource } from "../domain/matrix/MatrixView.ts"
import { EventBus } from "../events/EventBus.ts"
import type { PeerId, Root, Slot } from "../domain/Primitives.ts"
import { Externs } from "../host/Externs.ts"
import { stagesReached } from "../domain/matrix/MatrixStages.ts"

/** A block, as far as its matrix goes. */
interface MatrixBlock {
  readonly root: Root
  readonly slot: Slot
  /** Rows of its matrix. */
  readonly blobs: number
}

/** A column whose cells are in memory. */
export interface HeldColumn {
  readonly column: number
  readonly fork: ForkName
  /** The whole sidecar, verified. Not to be written to. */
  readonly ssz: Uint8Array
  readonly source: MatrixSource
  /** Since when, Unix milliseconds. */
  readonly at: number
  /** Whom it is from; none for what was computed. */
  readonly from?: PeerId | undefined
}

export interface VerifiedColumn extends HeldColumn {
  readonly block: MatrixBlock
}

/** A block has one more column. */
export interface MatrixChange {
  readonly block: MatrixBlock
  readonly column: number
  readonly source: MatrixSource
  /** Columns that came of the block, this one included. */
  readonly held: number
}

export interface LiveMatrixOptions {
  /** Bytes of sidecars that are held; those of the oldest slots go first. */
  readonly memoryBytes: number
}

/**
 * The matrix of each recent block, as far as we hold it: which columns, from where, since when, whoever brought them.
 * Of the last 64 slots; a block that is orphaned stays apart, by its root.
 */
export class LiveMatrix extends Context.Tag("dasmon/LiveMatrix")<
  LiveMatrix,
  {
    /**
     * Takes a column that was verified against its block, and nothing else. Never waits. The first that comes of a column is
     * kept. Gives whether it was new; what is too old, or has come before, is not.
     */
    readonly hold: (column: VerifiedColumn) => Effect.Effect<boolean>
    /** Every block of the slot of which something came. */
    readonly at: (slot: Slot) => Effect.Effect<ReadonlyArray<BlockMatrix>>
    /** The columns of a block whose cells are in memory, by column. */
    readonly columns: (root: Root) => Effect.Effect<ReadonlyMap<number, HeldColumn>>
    /** Columns from the moment on at which the stream is run; a reader that is slow loses the oldest changes. */
    readonly changes: Stream.Stream<MatrixChange>
    /** Waits, without a limit of its own, until so many columns of the block have come; gives those that are in memory. */
    readonly reached: (root: Root, count: number) => Effect.Effect<ReadonlyMap<number, HeldColumn>>
  }
>() {
  static readonly layer = (options: LiveMatrixOptions) => Layer.scoped(LiveMatrix, make(options))
}

/** What came of one block. */
interface Kept {
  readonly block: MatrixBlock
  /** Without the bytes, in the order in which they came. */
  readonly facts: Map<number, Omit<HeldColumn, "ssz" | "fork">>
  readonly sidecars: Map<number, HeldColumn>
  bytes: number
}

const make = Effect.fn("LiveMatrix.make")(function* ({ memoryBytes }: LiveMatrixOptions) {
  const { chain } = yield* Externs
  const bus = yield* EventBus
  const subscribed = yield* SubscribedColumns
  const pubsub = yield* Effect.acquireRelease(PubSub.sliding<MatrixChange>(mostChanges), PubSub.shutdown)
  const blocks = new Map<Root, Kept>()
  let total = 0

  const dropBytes = (kept: Kept): void => {
    total -= kept.bytes
    kept.bytes = 0
    kept.sidecars.clear()
  }

  const forget = (root: Root, kept: Kept): void => {
    dropBytes(kept)
    blocks.delete(root)
  }

  const makeRoom = (newest: Slot): void => {
    for (const [root, kept] of blocks) if (kept.block.slot <= newest - keptSlots) forget(root, kept)
    if (total <= memoryBytes && blocks.size <= mostBlocks) return
    for (const [root, kept] of [...blocks].sort(([, a], [, b]) => a.block.slot - b.block.slot)) {
      if (blocks.size > mostBlocks) forget(root, kept)
      else if (total > memoryBytes) dropBytes(kept)
    }
  }

  const hold = ({ block, ...held }: VerifiedColumn) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      const newest = slotAt(chain, now)
      const known = blocks.get(block.root)
      if (
        block.slot <= newest - keptSlots ||
        held.column >= numberOfColumns ||
        known?.facts.has(held.column) === true
      ) {
        return Effect.succeed(false)
      }
      const kept = known ?? { block, facts: new Map(), sidecars: new Map(), bytes: 0 }
      const { at, column, from, source } = held
      const ssz = ownBytes(held.ssz)
      kept.facts.set(column, { column, source, at, from })
      kept.sidecars.set(column, { ...held, ssz })
      kept.bytes += ssz.length
      total += ssz.length
      blocks.set(block.root, kept)
      makeRoom(newest)
      const progress = stagesReached(kept.facts, column, subscribed.current()).map((stage) =>
        bus.publish(progressOf(kept, stage, at))
      )
      return Effect.all(progress, { discard: true }).pipe(
        Effect.zipRight(Metric.set(matrixBytes, total)),
        Effect.zipRight(pubsub.publish({ block: kept.block, column, source, held: kept.facts.size })),
        Effect.as(true)
      )
    })

  const progressOf = ({ block, facts }: Kept, stage: MatrixStage, at: number): MatrixProgress => {
    const sources = { gossip: 0, request: 0, recovered: 0 }
    for (const { source } of facts.values()) sources[source]++
    return {
      _tag: "MatrixProgress",
      slot: block.slot,
      blockRoot: block.root,
      blobs: block.blobs,
      stage,
      held: facts.size,
      sources,
      at,
      sinceMs: at - slotStart(chain, block.slot)
    }
  }

  const viewOf = ({ block, facts, sidecars }: Kept): BlockMatrix => {
    const rows = Array.from({ length: block.blobs }, (_, row) => row)
    const start = slotStart(chain, block.slot)
    return {
      slot: block.slot,
      blockRoot: block.root,
      blobs: block.blobs,
      columns: [...facts.values()]
        .sort((a, b) => a.column - b.column)
        .map(({ at, column, from, source }) => ({
          column,
          rows,
          source,
          at,
          sinceMs: at - start,
          peerId: from ?? null,
          inMemory: sidecars.has(column)
        })),
      held: facts.size,
      needed: Math.max(0, columnsToReconstruct - facts.size),
      recoverable: facts.size >= columnsToReconstruct
    }
  }

  const columns = (root: Root) =>
    Effect.sync((): ReadonlyMap<number, HeldColumn> => new Map(blocks.get(root)?.sidecars))

  const reached = (root: Root, count: number) =>
    Effect.scoped(
      Effect.gen(function* () {
        const changes = yield* pubsub.subscribe
        while ((blocks.get(root)?.facts.size ?? 0) < count) yield* changes.take
        return yield* columns(root)
      })
    )

  return LiveMatrix.of({
    hold,
    at: (slot) => Effect.sync(() => [...blocks.values()].filter(({ block }) => block.slot === slot).map(viewOf)),
    columns,
    changes: Stream.fromPubSub(pubsub),
    reached
  })
})

/** Slots of which blocks are kept; of whatever blocks there are, so many at most, each with its facts: some 20 KiB. */
const keptSlots = 64
const mostBlocks = 256
const mostChanges = 1024

/** A small part of a large buffer would keep all of it alive. */
const ownBytes = (bytes: Uint8Array): Uint8Array =>
  bytes.buffer.byteLength > bytes.byteLength + bytes.byteLength / 8 + 64 ? Uint8Array.from(bytes) : bytes
