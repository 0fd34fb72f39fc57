import { Clock, Duration, Effect, Metric, Option } from "effect"
import { CommitmentCache } from "../chain/CommitmentCache.ts"
import { sharesOf, shareMoments } from "../domain/arrival/ShareByTime.ts"
import { blocksWithColumns, columnsUnjudged, historyRecordsLost } from "../domain/metrics/Metrics.ts"
import { hasColumns } from "../domain/network/Block.ts"
import { slotAt, slotStart } from "../domain/network/Chain.ts"
import type { Slot } from "../domain/Primitives.ts"
import { History } from "../history/store/History.ts"
import { Externs } from "../host/Externs.ts"
import { LoopLag, overloadLagMs } from "../runtime/LoopLag.ts"
import type { OwnDoubts } from "./OwnDoubts.ts"
import { columnsOf, type PendingBlock, type PendingBlocks } from "./PendingBlocks.ts"
import { SubscribedColumns } from "./SubscribedColumns.ts"

/**
 * Has blocks written once they are old enough that hardly another copy comes, and counts of each canonical one how much of
 * what was expected had come when. `all` writes the rest at once: of a block so young nobody knows yet what does not come.
 * What did not come while we were too busy to hear it is not missing: then only what came is written, and nothing counted;
 * and what came, and was dropped unjudged, is not either: it is expected no more, and counted as our own doing.
 */
export const makeSettleBlocks = Effect.fnUntraced(function* (pending: PendingBlocks, doubts: OwnDoubts) {
  const { chain } = yield* Externs
  const commitments = yield* CommitmentCache
  const history = yield* History
  const subscribed = yield* SubscribedColumns
  const lag = yield* LoopLag
  /** Slots up to this one were looked at. */
  let settled = slotAt(chain, yield* Clock.currentTimeMillis)

  const record = (block: Pick<PendingBlock, "slot" | "root" | "blobs">, columns: ReturnType<typeof columnsOf>) =>
    history.recordArrivals({
      slot: block.slot,
      blockRoot: block.root,
      blobs: block.blobs,
      startsAt: slotStart(chain, block.slot),
      lateMs: chain.slotDurationMs / 3,
      columns
    })

  /** What was taken out and is not recorded goes back when this is interrupted. */
  const recordAll = (blocks: ReadonlyArray<PendingBlock>, expectedOf: (block: PendingBlock) => ReadonlySet<number>) => {
    const left = new Set(blocks)
    return Effect.forEach(
      blocks,
      (block) =>
        Effect.tap(record(block, columnsOf(block, expectedOf(block))), () => Effect.sync(() => left.delete(block))),
      { discard: true }
    ).pipe(Effect.onInterrupt(() => Effect.sync(() => left.forEach(pending.putBack))))
  }

  /** The canonical block of a slot, if its columns must exist; `unknown` while the chain does not tell. */
  const canonical = (slot: Slot) =>
    commitments.range({ start: slot, end: slot }).pipe(
      Effect.timeoutOption(chainLimit),
      Effect.orElseSucceed(() => Option.none()),
      Effect.map((facts) => {
        const [fact] = Option.getOrElse(facts, () => [])
        if (fact === undefined) return "unknown" as const
        return fact._tag === "Block" && hasColumns(fact.block) ? fact.block : undefined
      })
    )

  /** Whether our own timers were late since the slot began, or nobody knows any more. */
  const isOwnDoubt = Effect.fnUntraced(function* (slot: Slot) {
    const since = slotStart(chain, slot)
    if ((yield* Clock.currentTimeMillis) - since > lagKnownMs) return true
    return (yield* lag.worstSince(since)) >= overloadLagMs
  })

  const settleSlot = Effect.fnUntraced(function* (slot: Slot) {
    const expected = subscribed.settledBefore(slotStart(chain, slot))
    const block = expected.size === 0 ? undefined : yield* canonical(slot)
    const came = pending.takeUpTo(slot)
    const ofSlot = came.filter((block) => block.slot === slot)
    // Where the chain does not tell, what was accepted alone in its slot is the block.
    const root = block === "unknown" ? (ofSlot.length === 1 ? ofSlot[0]?.root : undefined) : block?.root
    const isDoubtful = yield* isOwnDoubt(slot)
    const own = ofSlot.find((block) => block.root === root)
    const isOwnDoing = (column: number) =>
      root !== undefined &&
      own?.columns.has(column) !== true &&
      (isDoubtful || doubts.mayHaveCome({ slot, root }, column))
    const heard = new Set([...expected].filter((column) => !isOwnDoing(column)))
    yield* recordAll(came, (block) => (block.root === root ? heard : new Set()))
    if (root !== undefined) yield* Metric.incrementBy(columnsUnjudged, expected.size - heard.size)
    if (block === undefined || block === "unknown" || isDoubtful) return
    const columns = columnsOf(own, heard)
    if (own === undefined && heard.size > 0)
      yield* record({ slot, root: block.root, blobs: block.commitments.length }, columns)
    yield* Effect.forEach(sharesOf(columns), (share, index) =>
      Metric.increment(blocksWithColumns.of({ within: `${shareMoments[index] ?? 1}s`, columns: share }))
    )
  })

  const due = Effect.gen(function* () {
    const newest = slotAt(chain, (yield* Clock.currentTimeMillis) - settleMs)
    for (let slot = Math.max(settled + 1, newest - mostSlots); slot <= newest; slot++) {
      // One at which it dies is not looked at again.
      settled = slot
      yield* settleSlot(slot)
    }
    // What came later than that.
    yield* recordAll(pending.takeUpTo(newest), () => new Set())
    yield* Metric.incrementBy(historyRecordsLost, pending.takeLost())
  })

  const all = Effect.suspend(() =>
    recordAll(pending.takeUpTo(Infinity), (block) =>
      ofThose(subscribed.settledBefore(slotStart(chain, block.slot)), block)
    )
  )
  return { due, all }
})

/** Those of the expected columns that came. */
const ofThose = (expected: ReadonlySet<number>, { columns }: PendingBlock): ReadonlySet<number> =>
  new Set([...columns.keys()].filter((column) => expected.has(column)))

/** Copies come within seconds, and what is rebuilt too. */
const settleMs = 24_000
/** Slots that are caught up on, if it was kept from it. */
const mostSlots = 64
/** Lags are kept for five minutes. */
const lagKnownMs = 290_000
const chainLimit = Duration.seconds(5)
