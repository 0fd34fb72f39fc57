import type { ArrivedColumn, BlockArrivals, FirstSender } from "../../domain/arrival/BlockArrivals.ts"
import { addDelay } from "../../domain/arrival/DelayHistogram.ts"
import type { ClientFamily } from "../../domain/peer/ClientFamily.ts"

/** What a report of a block changes in the sums of one column. */
export interface ArrivalChange {
  readonly column: number
  /** Blocks whose column was expected, and those of them of which it did not come; that one comes after all takes one away. */
  readonly blocks: number
  readonly missed: number
  /** Of whom it came first. */
  readonly client: ClientFamily | undefined
  readonly arrived: number
  readonly late: number
  readonly duplicates: number
  readonly delays: ReadonlyMap<number, number>
}

/**
 * What a report of a block changes, `known` being what was reported of it before: a column that had come has come once, and
 * of it only further copies are counted, for whoever was first.
 */
export const arrivalChanges = <Peer>(
  known: ReadonlyArray<ArrivedColumn<Peer>>,
  clientOf: (peer: Peer) => ClientFamily,
  { columns, lateMs }: Pick<BlockArrivals, "lateMs"> & { readonly columns: ReadonlyArray<ArrivedColumn<FirstSender>> }
): ReadonlyArray<ArrivalChange> => {
  const before = new Map(known.map((entry) => [entry.column, entry]))
  return columns.map(({ arrival, column, isSubscribed }) => {
    const earlier = before.get(column)
    const wasExpected = earlier?.isSubscribed ?? false
    const hadCome = earlier?.arrival ?? null
    const wasMissed = wasExpected && hadCome === null
    const isMissed = (wasExpected || isSubscribed) && hadCome === null && arrival === null
    const expected = {
      column,
      blocks: isSubscribed && !wasExpected ? 1 : 0,
      missed: Number(isMissed) - Number(wasMissed)
    }
    const delays = new Map<number, number>()
    if (arrival === null) {
      return { ...expected, client: undefined, arrived: 0, late: 0, duplicates: 0, delays }
    }
    if (hadCome !== null) {
      const client = clientOf(hadCome.peer)
      return { ...expected, client, arrived: 0, late: 0, duplicates: arrival.duplicates + 1, delays }
    }
    addDelay(delays, arrival.ms)
    const late = arrival.ms > lateMs ? 1 : 0
    return { ...expected, client: arrival.peer.client, arrived: 1, late, duplicates: arrival.duplicates, delays }
  })
}
