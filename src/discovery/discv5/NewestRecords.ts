import { Option } from "effect"
import { setNewest } from "../../domain/Bounded.ts"

/** What is known of the records of nodes: the newest of each, by sequence number. Bounded: the oldest told is forgotten. */
export interface NewestRecords<A> {
  /**
   * Whether a record with this number is worth telling: it is newer than what is known of the node, or the same and was
   * not told for a while. `now`: milliseconds.
   */
  readonly isNews: (nodeId: string, seq: bigint, now: number) => boolean
  /** It was told. */
  readonly told: (nodeId: string, seq: bigint, record: A, now: number) => void
  readonly get: (nodeId: string) => Option.Option<A>
  readonly all: () => ReadonlyArray<A>
}

export const makeNewestRecords = <A>(most: number, againMs: number): NewestRecords<A> => {
  const known = new Map<string, { readonly seq: bigint; readonly at: number; readonly record: A }>()
  return {
    isNews: (nodeId, seq, now) => {
      const before = known.get(nodeId)
      return before === undefined || seq > before.seq || (seq === before.seq && now - before.at >= againMs)
    },
    told: (nodeId, seq, record, now) => setNewest(known, nodeId, { seq, at: now, record }, most),
    get: (nodeId) => Option.map(Option.fromNullable(known.get(nodeId)), ({ record }) => record),
    all: () => [...known.values()].map(({ record }) => record)
  }
}
