import { Effect, FiberSet } from "effect"
import { type AcceptedColumn, type ColumnPlace, ColumnArrivals } from "../arrival/ColumnArrivals.ts"
import { setNewest } from "../domain/Bounded.ts"
import { LiveMatrix } from "../matrix/LiveMatrix.ts"
import { recordFaults } from "./RecordFaults.ts"
import type { Examined } from "./ExamineColumn.ts"

/** Tells of columns that gossip brought: when they came, how many more times, and their cells. */
export const tellColumns = Effect.gen(function* () {
  const arrivals = yield* ColumnArrivals
  const matrix = yield* LiveMatrix
  const rejected = yield* recordFaults
  const run = yield* FiberSet.makeRuntime<never>()
  /** By message id: what a copy is a copy of. */
  const places = new Map<string, ColumnPlace>()

  const held = ({ at, blobs, blockRoot, column, fork, from, slot }: AcceptedColumn, ssz: Uint8Array) =>
    Effect.asVoid(
      matrix.hold({ block: { root: blockRoot, slot, blobs }, fork, column, ssz, source: "gossip", at, from })
    )

  return {
    examined: (id: string, { blockRoot, index, slot }: Examined): void =>
      setNewest(places, id, { slot, blockRoot, column: index }, mostPlaces),
    copied: (id: string): void => {
      const place = places.get(id)
      if (place !== undefined) run(arrivals.duplicate(place))
    },
    held,
    accepted: (column: AcceptedColumn, ssz: Uint8Array) =>
      Effect.zipRight(arrivals.accepted(column), held(column, ssz)),
    rejected
  }
})

/** Columns of 32 slots. */
const mostPlaces = 4096
