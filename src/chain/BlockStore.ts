import { Option } from "effect"
import { setNewest } from "../domain/Bounded.ts"
import type { Block } from "../domain/network/Block.ts"
import type { Root } from "../domain/Primitives.ts"

/** Whole blocks in bounded memory: the canonical ones by slot, those in doubt, and those that were replaced. */
export interface BlockStore {
  /** The block that was put at `slot` and not dropped or put in doubt since. */
  readonly get: (slot: number) => Block | undefined
  /** What is at `slot` now, a block or nothing; a different block that was there before is an orphan from here on. */
  readonly put: (slot: number, block: Block | undefined) => void
  /** It is no longer known whether the block at `slot` is canonical. */
  readonly doubt: (slot: number) => void
  readonly orphan: (root: Root) => Option.Option<Block>
}

/** Blocks in doubt, and orphans, at most. */
const maxAside = 2048

/** `maxBytes` bounds the canonical blocks; the least recently used are dropped. */
export const makeBlockStore = (maxBytes: number): BlockStore => {
  const canonical = new Map<number, Block>()
  const doubted = new Map<number, Block>()
  const orphans = new Map<Root, Block>()
  let bytes = 0

  const remove = (slot: number): void => {
    const block = canonical.get(slot)
    if (block === undefined) return
    canonical.delete(slot)
    bytes -= estimatedBytes(block)
  }
  return {
    get: (slot) => {
      const block = canonical.get(slot)
      if (block === undefined) return undefined
      canonical.delete(slot)
      canonical.set(slot, block)
      return block
    },
    put: (slot, block) => {
      const previous = canonical.get(slot) ?? doubted.get(slot)
      if (previous !== undefined && previous.root !== block?.root) setNewest(orphans, previous.root, previous, maxAside)
      remove(slot)
      doubted.delete(slot)
      if (block === undefined) return
      orphans.delete(block.root)
      canonical.set(slot, block)
      bytes += estimatedBytes(block)
      for (const oldest of canonical.keys()) {
        if (bytes <= maxBytes) break
        remove(oldest)
      }
    },
    doubt: (slot) => {
      const block = canonical.get(slot)
      if (block === undefined) return
      remove(slot)
      setNewest(doubted, slot, block, maxAside)
    },
    orphan: (root) => Option.fromNullable(orphans.get(root))
  }
}

/** About what V8 takes for a block: its strings and object, a typed array a commitment, for the signature and for each root. */
const estimatedBytes = (block: Block): number =>
  600 +
  (block.proof === undefined ? 0 : 900) +
  (Option.isSome(block.signature) ? 200 : 0) +
  block.commitments.length * 150
