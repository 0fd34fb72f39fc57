import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Logger, LogLevel, Option, TestClock } from "effect"
import { layer } from "../../src/chain/ChainCommitments.ts"
import { CommitmentCache } from "../../src/chain/CommitmentCache.ts"
import { Externs, ExternsError } from "../../src/host/Externs.ts"
import { Doubts } from "../../src/runtime/Doubts.ts"
import { layerSeeded } from "../Seeded.ts"
import { type Growth, makeSimulatedChain } from "./SimulatedChain.ts"

const start = 320
const history: Growth = Array.from({ length: start }, (_, index) => index % 4)

/** A chain of 320 slots of a second, of this moment, and the cache over it; slots that `lacks` names are not given. */
const watch = Effect.fnUntraced(function* (lacks: (slot: number) => boolean) {
  const chain = yield* makeSimulatedChain(0)
  yield* chain.grow(history)
  yield* TestClock.setTime(start * 1000 + 500)
  const logged: Array<string> = []
  const logger = Logger.make(({ logLevel, message }) => {
    if (LogLevel.greaterThanEqual(logLevel, LogLevel.Info)) logged.push(`${logLevel.label} ${String(message)}`)
  })
  const externs = Layer.effect(
    Externs,
    Effect.map(Externs, (host) =>
      Externs.of({
        ...host,
        chainQuery: (range) =>
          Effect.zipRight(
            host.chainQuery(range),
            Array.from({ length: range.end - range.start + 1 }, (_, index) => range.start + index).some(lacks)
              ? new ExternsError({ operation: "blocks", reason: "no such block (404)" })
              : host.chainQuery(range)
          )
      })
    )
  ).pipe(Layer.provide(chain.layer))
  const context = yield* Layer.build(
    layer({ window: "4096 seconds", mode: "background", pause: 0 }).pipe(
      Layer.provide([externs, layerSeeded]),
      Layer.provideMerge(Doubts.layer),
      Layer.provide(Logger.replace(Logger.defaultLogger, logger))
    )
  )
  /** So many seconds in which every slot has a block, or none. */
  const seconds = (count: number, growth: Growth = [1]) =>
    Effect.forEach(
      Array.from({ length: count }),
      () => Effect.zipRight(TestClock.adjust("1 second"), growth.length === 0 ? Effect.void : chain.grow(growth)),
      { discard: true }
    )
  return {
    chain,
    logged,
    seconds,
    doubts: Context.get(context, Doubts).all,
    progress: Context.get(context, CommitmentCache).progress
  }
})

describe("a chain that begins late", () => {
  it.scoped("is told of once, with its oldest slot, left alone below it, and no reason not to be ready", () =>
    Effect.gen(function* () {
      let anchor = 192
      const { chain, doubts, logged, progress, seconds } = yield* watch((slot) => slot < anchor)
      yield* seconds(120)
      assert.deepInclude(yield* progress, { oldest: Option.some(anchor), unknown: 0 })
      assert.lengthOf(logged, 1)
      assert.match(logged[0] ?? "", /^WARN the oldest slot that the chain gives is 192: .* the 160 slots before it/)
      assert.deepStrictEqual(yield* doubts, [])
      // Only the newest three tiles that are lacking were asked for, and each of them a few times.
      const inVain = chain.queries.filter((range) => range.start < anchor)
      assert.deepStrictEqual([...new Set(inVain.map((range) => range.start))].sort(), [128, 160, 96])
      assert.isBelow(inVain.length, 2 * 3 * 6)

      anchor = 0
      yield* seconds(200)
      assert.deepInclude(yield* progress, { oldest: Option.some(32), unknown: 0 })
      assert.deepStrictEqual(logged.slice(1), ["INFO the chain answers again, and nothing is missing"])
    })
  )

  it.scoped("that has holes instead is in doubt, once it was asked for everything", () =>
    Effect.gen(function* () {
      let isHoled = true
      const { doubts, progress, seconds } = yield* watch((slot) => isHoled && (slot === 70 || slot === 198))
      yield* seconds(30)
      assert.deepInclude(yield* progress, { oldest: Option.some(32), unknown: 2 * 32 })
      assert.deepStrictEqual(yield* doubts, [])
      yield* seconds(90)
      assert.match((yield* doubts).join(), /^the ground truth of 64 of the last \d+ slots is unknown/)
      isHoled = false
      yield* seconds(120)
      assert.deepStrictEqual(yield* doubts, [])
    })
  )
})

describe("the head of the chain", () => {
  it.scoped("is in doubt when it is older than missed slots explain, or in the future", () =>
    Effect.gen(function* () {
      const { chain, doubts, logged, seconds } = yield* watch(() => false)
      yield* seconds(4, [])
      assert.deepStrictEqual(yield* doubts, [])
      yield* seconds(3, [])
      assert.match((yield* doubts).join(), /^the head of the chain is \d slots old/)
      // Seven slots were missed: that may happen again.
      yield* chain.grow([null, null, null, null, null, null, null, 1])
      yield* seconds(3)
      assert.deepStrictEqual(yield* doubts, [])
      yield* seconds(10, [])
      assert.deepStrictEqual(yield* doubts, [])
      yield* seconds(4, [])
      assert.match((yield* doubts).join(), /^the head of the chain is \d+ slots old/)
      assert.lengthOf(
        logged.filter((line) => line.startsWith("WARN")),
        2
      )

      yield* chain.grow(Array.from({ length: 60 }, () => 1))
      yield* seconds(2, [])
      assert.match((yield* doubts).join(), /^the head of the chain is 4\d slots in the future of this machine's clock/)
      yield* seconds(45, [])
      assert.deepStrictEqual(yield* doubts, [])
    })
  )
})
