import { dropOldest } from "../domain/Bounded.ts"
import type { Root, Slot } from "../domain/Primitives.ts"

/** What came and was not judged, for our own trouble, bounded whatever comes. */
export interface OwnDoubts {
  readonly ofColumn: (root: Root, column: number) => void
  /** Nobody knows of which block it was; it came in `slot`. */
  readonly ofTopic: (slot: Slot, column: number) => void
  /** Whether a column of a block that was not accepted may have come all the same. */
  readonly mayHaveCome: (block: { readonly slot: Slot; readonly root: Root }, column: number) => boolean
}

export const makeOwnDoubts = (): OwnDoubts => {
  const columns = new Set<string>()
  const topics = new Set<string>()
  const add = (names: Set<string>, name: string): void => {
    names.delete(name)
    names.add(name)
    dropOldest(names, mostNames)
  }
  return {
    ofColumn: (root, column) => add(columns, `${root} ${column}`),
    ofTopic: (slot, column) => add(topics, `${slot} ${column}`),
    mayHaveCome: ({ root, slot }, column) =>
      columns.has(`${root} ${column}`) || [slot, slot + 1].some((at) => topics.has(`${at} ${column}`))
  }
}

/** All columns of 64 slots. */
const mostNames = 8192
