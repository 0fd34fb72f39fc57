import { Effect, Random, Ref } from "effect"
import type { BadRoad } from "./BadRoad.ts"

/** What was done to the network and the monitor. */
export interface Disturbances {
  readonly reorgs: number
  readonly outages: number
  readonly errors: number
  readonly delays: number
}

export const undisturbed: Disturbances = { reorgs: 0, outages: 0, errors: 0, delays: 0 }

/** One thing after another that goes wrong, with some seconds of peace in between; does not end by itself. */
export const disturb = (beaconApi: string, road: BadRoad, done: Ref.Ref<Disturbances>): Effect.Effect<never> => {
  const count = (what: keyof Disturbances) => Ref.update(done, (before) => ({ ...before, [what]: before[what] + 1 }))
  const seconds = (least: number, most: number) =>
    Effect.flatMap(Random.nextIntBetween(least, most + 1), (value) => Effect.sleep(value * 1000))
  const turns = [
    Effect.gen(function* () {
      const depth = yield* Random.nextIntBetween(1, 5)
      yield* post(`${beaconApi}/devnet/reorg?depth=${depth}`)
      yield* count("reorgs")
    }),
    Effect.gen(function* () {
      yield* road.set("down")
      yield* seconds(2, 10)
      yield* post(`${beaconApi}/devnet/restart`)
      yield* road.set("well")
      yield* count("outages")
    }),
    Effect.gen(function* () {
      yield* road.set("failing")
      yield* seconds(3, 8)
      yield* road.set("well")
      yield* count("errors")
    }),
    Effect.gen(function* () {
      yield* road.set("slow")
      yield* seconds(4, 8)
      yield* road.set("well")
      yield* count("delays")
    })
  ]
  const round = Effect.flatMap(Random.shuffle(turns), (shuffled) =>
    Effect.forEach(shuffled, (turn) => Effect.zipRight(seconds(3, 8), turn), { discard: true })
  )
  return Effect.forever(round)
}

/** A network that refuses (a reorg that would undo finality) is left as it is. */
const post = (url: string): Effect.Effect<void> =>
  Effect.ignore(
    Effect.tryPromise((signal) => fetch(url, { method: "POST", signal: AbortSignal.any([signal, timeLimit()]) }))
  )

const timeLimit = (): AbortSignal => AbortSignal.timeout(10_000)
