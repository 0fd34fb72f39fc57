import { assert, describe, it } from "@effect/vitest"
import { Effect, Logger, Option, TestClock } from "effect"
import { makeNodeLimits } from "../../../src/host/beacon-api/NodeLimits.ts"
import { makeChain } from "../../domain/network/Chains.ts"

const gloas = makeChain({ forks: [{ name: "gloas", version: new Uint8Array(4), epoch: 5 }] })

describe("what a node was found not to give", () => {
  it.effect("is left out of what it is asked for, and tried again after five minutes", () =>
    Effect.gen(function* () {
      const limits = yield* makeNodeLimits("http://node", gloas)
      const asked = { start: 0, end: 320 }
      const within = Effect.map(limits.within(asked), ({ range, reason }) => [
        range.start,
        range.end,
        Option.getOrElse(reason, () => "").split(",", 1)[0]
      ])
      assert.deepStrictEqual(yield* within, [0, 320, ""])
      yield* limits.setOldest(40)
      assert.deepStrictEqual(yield* within, [40, 320, "it does not have the parent of slot 40"])
      yield* TestClock.adjust("4 minutes")
      yield* limits.setForeign("gloas", "an example")
      assert.deepStrictEqual(yield* within, [40, 159, "it hashes gloas blocks otherwise than this program"])
      yield* TestClock.adjust("2 minutes")
      assert.deepStrictEqual(yield* within, [0, 159, "it hashes gloas blocks otherwise than this program"])
      yield* TestClock.adjust("4 minutes")
      assert.deepStrictEqual(yield* within, [0, 320, ""])
    }).pipe(Effect.provide(Logger.remove(Logger.defaultLogger)))
  )
})
