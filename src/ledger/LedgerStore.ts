import { Context, type Effect } from "effect"
import type { Root, Slot } from "../domain/Primitives.ts"
import type { CacheFileError } from "../history/store/sqlite/CacheFile.ts"

/** What is kept of one block. */
export interface LedgerRow {
  readonly root: Root
  readonly slot: Slot
  /** As `LedgerEntry.encode` gives it. */
  readonly bytes: Uint8Array
}

/** The ledger on disk. Nothing is lost with it but time. */
export class LedgerStore extends Context.Tag("dasmon/LedgerStore")<
  LedgerStore,
  {
    /** 16 bytes that the digests were made with. */
    readonly secret: Uint8Array
    /** Those of the blocks that are kept. */
    readonly load: (roots: ReadonlyArray<Root>) => Effect.Effect<ReadonlyArray<LedgerRow>, CacheFileError>
    /** In place of what was kept of the blocks. */
    readonly save: (rows: ReadonlyArray<LedgerRow>) => Effect.Effect<void, CacheFileError>
    /** Removes the blocks of slots before `slot`, and the oldest others while there are more bytes than allowed: some of them. */
    readonly prune: (slot: Slot) => Effect.Effect<void, CacheFileError>
  }
>() {}
