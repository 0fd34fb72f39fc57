import { randomBytes } from "node:crypto"
import { Context, Duration, Effect, Layer, Metric, Option, Schedule, type Scope } from "effect"
import type { SidecarView } from "../domain/column/SidecarView.ts"
import { ledgerBlocks, ledgerBytes } from "../domain/metrics/Metrics.ts"
import type { Root, Slot } from "../domain/Primitives.ts"
import { makeToldOnce } from "../history/store/sqlite/CacheFile.ts"
import { daemon } from "../runtime/Daemon.ts"
import { makeYielder } from "../runtime/YieldNow.ts"
import { digestOf, secretBytes } from "./Digest.ts"
import { makeLedgerEntry, type LedgerEntry } from "./LedgerEntry.ts"
import { LedgerStore } from "./LedgerStore.ts"

/** A column's own part of a sidecar; header, commitments and inclusion proof are held against its block before. */
export type ColumnBytes = Pick<SidecarView, "cells" | "index" | "proofs">

export interface LedgerOptions {
  /** Bytes of memory, about; what was of use the longest ago is forgotten first, and is still on disk. */
  readonly memoryBytes: number
  /** Blocks so many slots behind the newest are removed from the disk. */
  readonly keepSlots: number
}

/**
 * Which columns of which blocks were proven, by a digest of their cells and proofs (README of this room). Never says of
 * anything that it is wrong.
 */
export class ProvenLedger extends Context.Tag("dasmon/ProvenLedger")<
  ProvenLedger,
  {
    /** Takes what is on disk of these blocks into memory, for what follows. */
    readonly ready: (roots: ReadonlyArray<Root>) => Effect.Effect<void>
    /** Whether there is a digest of the column to compare with. */
    readonly has: (root: Root, column: number) => boolean
    /** Whether these very bytes were proven to be the column of the block; false also where that is not known. */
    readonly isProven: (root: Root, column: ColumnBytes) => boolean
    /** Remembers bytes that passed every check against the block. */
    readonly prove: (root: Root, slot: Slot, column: ColumnBytes) => void
    /** The columns of the block that are known to be good, ascending. */
    readonly columns: (root: Root) => Effect.Effect<ReadonlyArray<number>>
  }
>() {
  /**
   * In memory, and on disk where there is a `LedgerStore`: then what was proven is written every few seconds, and when the
   * scope closes. What the disk does not take is told once and tried again, and only memory is used meanwhile.
   */
  static readonly layer = (options: LedgerOptions): Layer.Layer<ProvenLedger> =>
    Layer.scoped(ProvenLedger, make(options))
}

interface Known {
  slot: Slot
  readonly entry: LedgerEntry
  isOnDisk: boolean
  /** Whether what is on disk of the block is in the entry; until then it must not be put in its place there. */
  isWhole: boolean
}

const make = Effect.fnUntraced(function* ({
  keepSlots,
  memoryBytes
}: LedgerOptions): Effect.fn.Return<ProvenLedger["Type"], never, Scope.Scope> {
  const store = Option.getOrUndefined(yield* Effect.serviceOption(LedgerStore))
  const secret = store?.secret ?? randomBytes(secretBytes)
  /** What was of use last comes last. */
  const known = new Map<Root, Known>()
  let bytes = 0
  /** More than that is too much. */
  let limit = memoryBytes
  let newest = 0

  const { heeded } = makeToldOnce("proven columns on disk")

  /** `before`: its size when it was put here last, if it was. */
  const put = (root: Root, one: Known, before: number): void => {
    bytes += one.entry.size() - (known.delete(root) ? before : 0)
    known.set(root, one)
  }
  const touch = (root: Root): void => {
    const one = known.get(root)
    if (one === undefined) return
    known.delete(root)
    known.set(root, one)
  }
  /**
   * Makes some room once there is too much. What is not on disk yet stays until it is, but for what a disk that is away
   * leaves behind.
   */
  const makeRoom = (): void => {
    if (bytes <= limit) return
    for (const [root, { entry, isOnDisk }] of known) {
      if (bytes <= memoryBytes * 0.9) break
      if (store !== undefined && !isOnDisk && bytes <= memoryBytes * 2) continue
      known.delete(root)
      bytes -= entry.size()
    }
    limit = Math.max(memoryBytes, bytes + memoryBytes / 16)
  }

  const load = Effect.fnUntraced(function* (disk: LedgerStore["Type"], roots: ReadonlyArray<Root>) {
    const wanted = [...new Set(roots)].filter((root) => known.get(root)?.isWhole !== true)
    if (wanted.length === 0) return
    const found = new Map((yield* disk.load(wanted)).map((row) => [row.root, row]))
    for (const root of wanted) {
      const row = found.get(root)
      const one = known.get(root) ?? makeKnown(row?.slot ?? 0)
      const before = one.entry.size()
      if (row !== undefined) one.entry.add(row.bytes)
      one.isWhole = true
      put(root, one, before)
    }
    makeRoom()
  })
  const ready = (roots: ReadonlyArray<Root>): Effect.Effect<void> =>
    Effect.suspend(() => {
      roots.forEach(touch)
      return store === undefined ? Effect.void : heeded(load(store, roots), undefined)
    })

  const makeKnown = (slot: Slot): Known => ({
    slot,
    entry: makeLedgerEntry(),
    isOnDisk: true,
    isWhole: store === undefined
  })
  const prove = (root: Root, slot: Slot, column: ColumnBytes): void => {
    const one = known.get(root) ?? makeKnown(slot)
    const before = one.entry.size()
    one.entry.set(column.index, digestOf(secret, column))
    one.slot = slot
    one.isOnDisk = false
    newest = Math.max(newest, slot)
    put(root, one, before)
    makeRoom()
  }

  if (store !== undefined) {
    const yieldNow = makeYielder(5)
    const write = Effect.gen(function* () {
      const waiting = [...known].filter(([, { isOnDisk }]) => !isOnDisk)
      for (let from = 0; from < waiting.length; from += rowsAtOnce) {
        const next = waiting.slice(from, from + rowsAtOnce)
        yield* load(
          store,
          next.map(([root]) => root)
        )
        const some = next.filter(([root, one]) => known.get(root) === one)
        // Before they are written: what is proven meanwhile has to be written again.
        for (const [, one] of some) one.isOnDisk = true
        yield* store.save(some.map(([root, { entry, slot }]) => ({ root, slot, bytes: entry.encode() }))).pipe(
          Effect.onError(() =>
            Effect.sync(() => {
              for (const [, one] of some) one.isOnDisk = false
            })
          )
        )
        yield* yieldNow
      }
    })
    const pass = Effect.gen(function* () {
      yield* Effect.zipRight(write, store.prune(newest - keepSlots)).pipe(Effect.retry(diskRetries), (all) =>
        heeded(all, undefined)
      )
      // What had to stay until it was written need not any longer.
      limit = memoryBytes
      makeRoom()
    })
    yield* Effect.addFinalizer(() => heeded(write, undefined))
    yield* daemon("keeping of proven columns", pass, Schedule.spaced(writeInterval))
  }
  const measure = Effect.suspend(() =>
    Effect.zipRight(Metric.set(ledgerBlocks, known.size), Metric.set(ledgerBytes, bytes))
  )
  yield* daemon("measuring of proven columns", measure, Schedule.spaced(writeInterval))

  return ProvenLedger.of({
    ready,
    prove,
    has: (root, column) => known.get(root)?.entry.has(column) ?? false,
    isProven: (root, column) => {
      const entry = known.get(root)?.entry
      return entry !== undefined && entry.has(column.index) && entry.matches(column.index, digestOf(secret, column))
    },
    columns: (root) => Effect.map(ready([root]), () => known.get(root)?.entry.columns() ?? [])
  })
})

const writeInterval = Duration.seconds(5)
const rowsAtOnce = 64
const diskRetries = Schedule.exponential("2 seconds").pipe(
  Schedule.union(Schedule.spaced("5 minutes")),
  Schedule.jittered,
  Schedule.intersect(Schedule.recurs(3))
)
