import { Effect, Either, FiberSet, Option } from "effect"
import { type AcceptedColumn, type ColumnPlace, ColumnArrivals } from "../arrival/ColumnArrivals.ts"
import { setNewest } from "../domain/Bounded.ts"
import { peekSidecar } from "../domain/column/Sidecar.ts"
import { gossipMessages, gossipRulings } from "../domain/metrics/Metrics.ts"
import type { ColumnTopic } from "../domain/network/ColumnTopic.ts"
import { digestTable } from "../domain/network/ForkDigest.ts"
import { Externs } from "../host/Externs.ts"
import { LiveMatrix } from "../matrix/LiveMatrix.ts"
import { recordFaults } from "./RecordFaults.ts"
import type { Examined } from "./ExamineColumn.ts"

/** Tells of columns that gossip brought: when they came, how many more times, and their cells. */
export const tellColumns = Effect.gen(function* () {
  const { chain } = yield* Externs
  const digests = digestTable(chain)
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
    /** What came and was not judged, as far as it was decompressed. */
    dropped: ({ column, forkDigest }: ColumnTopic, data: Option.Option<Uint8Array>): void => {
      gossipMessages.of({ verdict: "ignore" }).unsafeUpdate(1, [])
      gossipRulings.of({ rule: "crowded" }).unsafeUpdate(1, [])
      const fork = digests.get(forkDigest)?.fork ?? "fulu"
      const label = Option.flatMap(data, (ssz) => Either.getRight(peekSidecar(fork, ssz)))
      run(
        Option.match(label, {
          onSome: ({ blockRoot, index, slot }) => arrivals.unjudged({ slot, blockRoot, column: index }),
          onNone: () => arrivals.unheard(column)
        })
      )
    },
    unjudged: ({ blockRoot, index, slot }: Examined) => arrivals.unjudged({ slot, blockRoot, column: index }),
    held,
    accepted: (column: AcceptedColumn, ssz: Uint8Array) =>
      Effect.zipRight(arrivals.accepted(column), held(column, ssz)),
    rejected
  }
})

/** Columns of 32 slots. */
const mostPlaces = 4096
