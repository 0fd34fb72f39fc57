import { Duration, Effect, Queue, Schedule, type Scope, Stream } from "effect"
import { setNewest } from "../domain/Bounded.ts"
import type { Root, Slot } from "../domain/Primitives.ts"
import type { LiveMatrix } from "../matrix/LiveMatrix.ts"
import { daemon } from "../runtime/Daemon.ts"
import type { CustodyStore, CustodyStoreError, KeptBlock, KeptColumn } from "./CustodyStore.ts"
import type { Tally } from "./Tally.ts"

export interface KeepOptions {
  /** Those that we owe, ascending. */
  readonly columns: ReadonlyArray<number>
  readonly store: CustodyStore["Type"]
  readonly live: LiveMatrix["Type"]
  readonly tally: Tally
  /** Is told once columns of a slot are written. */
  readonly written: (slot: Slot) => void
}

/** Takes verified columns of our own, and writes them. */
export interface Keeper {
  /** Those that came from elsewhere than the live matrix. */
  readonly take: (columns: ReadonlyArray<KeptColumn>) => Effect.Effect<void>
  /** Looks for what came of a slot, for changes that were missed. */
  readonly look: (slot: Slot) => Effect.Effect<void>
  /** What waits to be written. */
  readonly waiting: {
    readonly block: (root: Root) => KeptBlock | undefined
    readonly read: (root: Root, column: number) => KeptColumn | undefined
  }
  /** Why what comes cannot be written at this moment, if it cannot. */
  readonly trouble: () => string | undefined
}

/**
 * Keeps every column of ours that the live matrix gets, whatever brought it: what comes while one batch is being written
 * is the next one. While the disk takes nothing, the newest 64 MiB wait for it.
 */
export const keepColumns = Effect.fnUntraced(function* ({
  columns,
  live,
  store,
  tally,
  written
}: KeepOptions): Effect.fn.Return<Keeper, never, Scope.Scope> {
  /** By block and column, in the order in which they came. */
  const waiting = new Map<Root, Map<number, KeptColumn>>()
  let waitingBytes = 0
  /** Of recent blocks, what waits or is written. */
  const taken = new Map<Root, Set<number>>()
  const more = yield* Queue.sliding<void>(1)
  let trouble: string | undefined

  const forget = ({ column, root, ssz }: KeptColumn): void => {
    const block = waiting.get(root)
    if (block?.delete(column) !== true) return
    waitingBytes -= ssz.length
    if (block.size === 0) waiting.delete(root)
  }

  const take = (columns: ReadonlyArray<KeptColumn>) =>
    Effect.suspend(() => {
      let lost = 0
      for (const one of columns) {
        const known = taken.get(one.root) ?? new Set<number>()
        setNewest(taken, one.root, known.add(one.column), mostBlocks)
        const block = waiting.get(one.root) ?? new Map<number, KeptColumn>()
        if (block.has(one.column)) continue
        waiting.set(one.root, block.set(one.column, one))
        waitingBytes += one.ssz.length
      }
      if (waitingBytes > mostWaiting) {
        for (const oldest of [...waiting.values()].flatMap((block) => [...block.values()])) {
          forget(oldest)
          taken.get(oldest.root)?.delete(oldest.column)
          lost++
          if (waitingBytes <= mostWaiting) break
        }
      }
      return Effect.zipRight(lost === 0 ? Effect.void : tally.lost(lost), Queue.offer(more, undefined))
    })

  const takeOf = Effect.fnUntraced(function* (root: Root, slot: Slot) {
    const known = taken.get(root)
    const missing = columns.filter((column) => known?.has(column) !== true)
    if (missing.length === 0) return
    const held = yield* live.columns(root)
    const found = missing.flatMap((column): ReadonlyArray<KeptColumn> => {
      const one = held.get(column)
      return one === undefined ? [] : [{ root, slot, column, fork: one.fork, ssz: one.ssz }]
    })
    if (found.length > 0) yield* take(found)
  })

  const next = (): ReadonlyArray<KeptColumn> =>
    [...waiting.values()].flatMap((block) => [...block.values()]).slice(0, mostAtOnce)

  const write = Effect.gen(function* () {
    yield* Queue.take(more)
    for (let batch = next(); batch.length > 0; batch = next()) {
      yield* store.put(batch)
      if (trouble !== undefined) yield* Effect.logInfo("our own columns are kept again")
      trouble = undefined
      for (const one of batch) {
        forget(one)
        written(one.slot)
      }
      yield* tally.kept(batch.length)
    }
  })
  const failed = ({ message }: CustodyStoreError) =>
    Effect.suspend(() => {
      const isNews = trouble === undefined
      trouble = message
      return isNews ? Effect.logError(`our own columns are not kept: ${message}`) : Effect.void
    })
  const writing = write.pipe(
    Effect.tapError(failed),
    Effect.tapError(() => Queue.offer(more, undefined)),
    Effect.retry(diskRetries),
    Effect.catchAll(() => Effect.void),
    Effect.forever
  )
  yield* daemon("keeping of our own columns", writing)
  // What came last before the end is written, if the disk takes it.
  yield* Effect.addFinalizer(() =>
    Effect.suspend(() => {
      const last = next()
      return last.length === 0 ? Effect.void : Effect.ignore(Effect.zipRight(store.put(last), tally.kept(last.length)))
    })
  )
  yield* daemon(
    "following of our own columns",
    Stream.runForEach(
      Stream.filter(live.changes, ({ column }) => columns.includes(column)),
      ({ block }) => takeOf(block.root, block.slot)
    )
  )

  return {
    take,
    look: (slot) =>
      Effect.flatMap(live.at(slot), (blocks) =>
        Effect.forEach(blocks, ({ blockRoot }) => takeOf(blockRoot, slot), { discard: true })
      ),
    waiting: {
      block: (root) => {
        const block = waiting.get(root)
        const [first] = block?.values() ?? []
        return block === undefined || first === undefined
          ? undefined
          : { root, slot: first.slot, columns: [...block.keys()].sort((a, b) => a - b) }
      },
      read: (root, column) => waiting.get(root)?.get(column)
    },
    trouble: () => trouble
  }
})

const mostBlocks = 256
const mostWaiting = 64 * 2 ** 20
/** Sidecars of one batch: a few milliseconds. */
const mostAtOnce = 32
const diskRetries = Schedule.exponential("1 second").pipe(
  Schedule.union(Schedule.spaced(Duration.seconds(30))),
  Schedule.jittered
)
