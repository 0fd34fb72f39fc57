import { Effect, Layer, Stream } from "effect"
import { OwnRecord, type OwnRecordState } from "../discovery/record/OwnRecord.ts"
import { daemon } from "../runtime/Daemon.ts"

/** Tells a person what we are reached at, once that is known and whenever it is another, with the ENR that says so. */
export const layer = (print: (line: string) => Effect.Effect<void>): Layer.Layer<never> =>
  Layer.scopedDiscard(
    Effect.flatMap(OwnRecord, ({ changes }) =>
      daemon(
        "telling of what we are reached at",
        Stream.runForEach(
          Stream.changesWith(changes, (one, other) => placesOf(one) === placesOf(other)),
          (state) => print(lineOf(state))
        )
      )
    )
  )

const placesOf = ({ advertised }: OwnRecordState): string => advertised.join(" ")

const lineOf = (state: OwnRecordState): string =>
  state.advertised.length === 0
    ? `discv5 runs; what we are reached at is not known yet (ENR: ${state.enr})`
    : `reached at ${placesOf(state)} (ENR: ${state.enr})`
