import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Fiber, TestClock } from "effect"
import { makeTurns, type Turns } from "../../src/runtime/Turns.ts"

/** Whoever takes a turn is noted, and keeps it until told to end. */
const stage = (permits: number, options: Parameters<typeof makeTurns>[1] = {}) => {
  const turns = makeTurns(permits, options)
  const begun: Array<string> = []
  const ends = new Map<string, () => void>()
  const enter = (name: string, how: Parameters<Turns["take"]>[1] = {}) =>
    Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(turns.take(restore, how), (isTaken) => {
        if (!isTaken) return Effect.sync(() => begun.push(`${name} gave up`))
        begun.push(name)
        const work = Effect.async<void>((resume) => {
          ends.set(name, () => resume(Effect.void))
        })
        return Effect.ensuring(restore(work), turns.giveBack(how.isLast))
      })
    ).pipe(Effect.fork, Effect.tap(settled))
  const end = (name: string) =>
    Effect.zipRight(
      Effect.sync(() => ends.get(name)?.()),
      settled
    )
  return { turns, begun, enter, end }
}

const settled = Effect.repeatN(Effect.yieldNow({ priority: 1 }), 9)

describe("turns", () => {
  it.effect("of those that are last come to those behind after the others, however long these have waited", () =>
    Effect.gen(function* () {
      const { begun, end, enter } = stage(1)
      yield* enter("a")
      yield* enter("recovery", { isLast: true, isBehind: true })
      yield* enter("gossip", { isLast: true })
      yield* enter("more gossip", { isLast: true })
      for (const name of ["a", "gossip", "more gossip", "recovery"]) yield* end(name)
      assert.deepStrictEqual(begun, ["a", "gossip", "more gossip", "recovery"])
    })
  )

  it.effect("come first come, first served, and for whoever is last when nobody else waits, one at a time", () =>
    Effect.gen(function* () {
      const { begun, end, enter } = stage(2)
      yield* enter("a")
      yield* enter("b")
      yield* enter("liar", { isLast: true })
      yield* enter("liar again", { isLast: true })
      yield* enter("c")
      assert.deepStrictEqual(begun, ["a", "b"])
      yield* end("a")
      assert.deepStrictEqual(begun.slice(2), ["c"])
      yield* end("b")
      assert.deepStrictEqual(begun.slice(3), ["liar"])
      yield* end("c")
      assert.lengthOf(begun, 4, "one of them at a time, though a permit is free")
      yield* enter("d")
      assert.deepStrictEqual(begun.slice(4), ["d"])
      yield* end("liar")
      assert.deepStrictEqual(begun.slice(5), ["liar again"])
    })
  )

  it.effect("are had by as many of the last at a time as is said", () =>
    Effect.gen(function* () {
      const { begun, end, enter } = stage(3, { lastAtOnce: 2 })
      for (const name of ["one", "two", "three"]) yield* enter(name, { isLast: true })
      assert.deepStrictEqual(begun, ["one", "two"])
      yield* enter("a")
      yield* enter("b")
      yield* end("one")
      assert.deepStrictEqual(begun.slice(2), ["a", "b"])
      yield* end("a")
      assert.deepStrictEqual(begun.slice(4), ["three"])
    })
  )

  it.effect("come first to whoever is urgent", () =>
    Effect.gen(function* () {
      const { begun, end, enter } = stage(1)
      yield* enter("a")
      yield* enter("stranger", { isLast: true })
      yield* enter("b")
      yield* enter("urgent", { isUrgent: true })
      yield* enter("urgent too", { isUrgent: true })
      for (const name of ["a", "urgent", "urgent too", "b"]) yield* end(name)
      assert.deepStrictEqual(begun, ["a", "urgent", "urgent too", "b", "stranger"])
    })
  )

  it.effect("are waited for as long as one will, and lost by nobody", () =>
    Effect.gen(function* () {
      const { begun, end, enter, turns } = stage(1)
      yield* enter("a")
      yield* enter("patient", { within: Duration.seconds(20) })
      yield* enter("impatient", { isLast: true, within: Duration.seconds(5) })
      yield* TestClock.adjust("6 seconds")
      assert.deepStrictEqual(begun, ["a", "impatient gave up"])
      assert.isFalse(turns.takeNow())
      yield* end("a")
      assert.deepStrictEqual(begun.slice(2), ["patient"])
      yield* TestClock.adjust("1 minute")
      yield* end("patient")
      assert.isTrue(turns.takeNow())
    })
  )

  it.effect("go on to the next when one that waits is interrupted, and to nobody once they are closed", () =>
    Effect.gen(function* () {
      const { begun, end, enter, turns } = stage(1)
      yield* enter("a")
      const gone = yield* enter("gone")
      yield* enter("b")
      yield* Fiber.interrupt(gone)
      yield* end("a")
      assert.deepStrictEqual(begun, ["a", "b"])
      yield* turns.close
      yield* enter("c")
      yield* end("b")
      assert.deepStrictEqual(begun, ["a", "b"])
    })
  )
})
