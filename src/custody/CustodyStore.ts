import { Context, Data, Effect, Layer, Option } from "effect"
import type { ForkName, SlotRange } from "../domain/network/Chain.ts"
import type { Root, Slot } from "../domain/Primitives.ts"

/** What ails the store. Nothing that it did not take, or cannot give, may be claimed. */
export class CustodyStoreError extends Data.TaggedError("CustodyStoreError")<{
  /** A sentence that says what to do. */
  readonly reason: string
}> {
  override get message(): string {
    return this.reason
  }
}

/** A verified sidecar of a column that we owe. */
export interface KeptColumn {
  readonly root: Root
  readonly slot: Slot
  readonly column: number
  readonly fork: ForkName
  /** The whole sidecar, byte for byte as it was verified. */
  readonly ssz: Uint8Array
}

/** A block of which columns are kept. */
export interface KeptBlock {
  readonly root: Root
  readonly slot: Slot
  /** Ascending. */
  readonly columns: ReadonlyArray<number>
}

/** The sidecars that we took custody of. It takes whatever it is given: what is owed is its owner's business. */
export class CustodyStore extends Context.Tag("dasmon/CustodyStore")<
  CustodyStore,
  {
    /** All of them or none; what is there already stays as it is. They are there once this returns, after a restart too. */
    readonly put: (columns: ReadonlyArray<KeptColumn>) => Effect.Effect<void, CustodyStoreError>
    /** The blocks of a range, canonical or not, ascending by slot; at most a few thousand slots at once. */
    readonly blocks: (range: SlotRange) => Effect.Effect<ReadonlyArray<KeptBlock>, CustodyStoreError>
    readonly block: (root: Root) => Effect.Effect<Option.Option<KeptBlock>, CustodyStoreError>
    readonly read: (root: Root, column: number) => Effect.Effect<Option.Option<KeptColumn>, CustodyStoreError>
    /** Removes all of a block. */
    readonly remove: (root: Root) => Effect.Effect<void, CustodyStoreError>
    /** Removes sidecars of slots before `slot`, some of them at a time: gives whether there are more. */
    readonly prune: (slot: Slot) => Effect.Effect<boolean, CustodyStoreError>
    /** Bytes of sidecars by slot, of the oldest `most` slots. */
    readonly oldest: (
      most: number
    ) => Effect.Effect<ReadonlyArray<{ readonly slot: Slot; readonly bytes: number }>, CustodyStoreError>
    /** Bytes that are taken up. */
    readonly bytes: Effect.Effect<number, CustodyStoreError>
  }
>() {
  /** In memory, and gone with the program. */
  static readonly layerMemory: Layer.Layer<CustodyStore> = Layer.sync(CustodyStore, () => memoryStore())
}

/** A store that is not there, because of this: it takes nothing and gives nothing. */
export const absentStore = (reason: string): CustodyStore["Type"] => {
  const fail = new CustodyStoreError({ reason })
  return CustodyStore.of({
    put: () => fail,
    blocks: () => fail,
    block: () => fail,
    read: () => fail,
    remove: () => fail,
    prune: () => fail,
    oldest: () => fail,
    bytes: fail
  })
}

/** Sidecars that one step of pruning removes. */
export const prunedAtOnce = 64

/** A store in memory. */
export const memoryStore = (): CustodyStore["Type"] => {
  const kept = new Map<Root, Map<number, KeptColumn>>()
  const slotOf = (columns: ReadonlyMap<number, KeptColumn>): Slot => [...columns.values()][0]?.slot ?? 0
  const bySlot = () =>
    [...kept]
      .map(([root, columns]) => ({ root, slot: slotOf(columns), columns }))
      .sort((a, b) => a.slot - b.slot || (a.root < b.root ? -1 : 1))
  const describe = (root: Root, columns: ReadonlyMap<number, KeptColumn>): KeptBlock => ({
    root,
    slot: slotOf(columns),
    columns: [...columns.keys()].sort((a, b) => a - b)
  })
  const bytesOf = (columns: ReadonlyMap<number, KeptColumn>): number =>
    [...columns.values()].reduce((sum, { ssz }) => sum + ssz.length, 0)

  return CustodyStore.of({
    put: (columns) =>
      Effect.sync(() => {
        for (const one of columns) {
          const block = kept.get(one.root) ?? new Map<number, KeptColumn>()
          if (!block.has(one.column)) block.set(one.column, { ...one, ssz: Uint8Array.from(one.ssz) })
          kept.set(one.root, block)
        }
      }),
    blocks: ({ end, start }) =>
      Effect.sync(() =>
        bySlot()
          .filter(({ slot }) => slot >= start && slot <= end)
          .map(({ columns, root }) => describe(root, columns))
      ),
    block: (root) =>
      Effect.sync(() => Option.map(Option.fromNullable(kept.get(root)), (columns) => describe(root, columns))),
    read: (root, column) => Effect.sync(() => Option.fromNullable(kept.get(root)?.get(column))),
    remove: (root) => Effect.sync(() => void kept.delete(root)),
    prune: (slot) =>
      Effect.sync(() => {
        let left = prunedAtOnce
        for (const block of bySlot()) {
          if (block.slot >= slot) return false
          for (const column of block.columns.keys()) {
            if (left-- === 0) return true
            block.columns.delete(column)
          }
          kept.delete(block.root)
        }
        return false
      }),
    oldest: (most) =>
      Effect.sync(() => {
        const sums = new Map<Slot, number>()
        for (const { columns, slot } of bySlot()) sums.set(slot, (sums.get(slot) ?? 0) + bytesOf(columns))
        return [...sums].slice(0, most).map(([slot, bytes]) => ({ slot, bytes }))
      }),
    bytes: Effect.sync(() => [...kept.values()].reduce((sum, columns) => sum + bytesOf(columns), 0))
  })
}
