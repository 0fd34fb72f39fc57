import { assert, describe, it } from "@effect/vitest"
import { Effect, Logger, LogLevel, TestClock } from "effect"
import { makeChainMemory } from "../../src/chain/ChainMemory.ts"
import { makeGapReport } from "../../src/chain/GapReport.ts"
import { tileRange } from "../../src/domain/network/Tile.ts"
import { ExternsError } from "../../src/host/Externs.ts"

const refused = new ExternsError({ operation: "a tile", reason: "the node has no such block (404)" })

describe("the report of gaps", () => {
  it.effect("says at once and then seldom how much is missing, and once that nothing is any more", () => {
    const logged: Array<string> = []
    const logger = Logger.make(({ logLevel, message }) => {
      if (LogLevel.greaterThanEqual(logLevel, LogLevel.Info)) logged.push(`${logLevel.label} ${String(message)}`)
    })
    const news = Effect.sync(() => logged.splice(0))
    const memory = makeChainMemory({ slots: 4096, maxBytes: 2 ** 20, firstSlot: 32 })
    memory.setHead(319)
    const report = makeGapReport(memory)
    const fails = (tile: number) => report.failed(tileRange(tile), refused)
    const answers = (tile: number) =>
      Effect.zipRight(
        Effect.sync(() => memory.store(tileRange(tile), [])),
        report.answered
      )
    return Effect.gen(function* () {
      yield* answers(9)
      yield* answers(8)
      assert.deepStrictEqual(yield* news, [])
      // Three tiles that have holes, among others that have none.
      yield* answers(1)
      for (let minute = 0; minute < 16; minute++) {
        for (const tile of minute < 8 ? [4, 3] : [4, 3, 2]) {
          yield* fails(tile)
          yield* answers(5 + (tile % 2))
        }
        yield* TestClock.adjust("1 minute")
      }
      const why = "a tile: the node has no such block (404)"
      assert.deepStrictEqual(yield* news, [
        `WARN ground truth is missing for 32 slots (128 to 159): ${why}`,
        `WARN ground truth is missing for 64 slots (96 to 159): ${why}`,
        `WARN ground truth is missing for 96 slots (64 to 159): ${why}`
      ])
      for (const tile of [3, 2]) yield* answers(tile)
      assert.deepStrictEqual(yield* news, [])
      yield* answers(4)
      assert.deepStrictEqual(yield* news, ["INFO the chain answers again, and nothing is missing"])

      // One that comes and goes, while all is known.
      yield* TestClock.adjust("5 minutes")
      for (let second = 0; second < 60; second++) {
        yield* fails(4)
        yield* answers(4)
        yield* TestClock.adjust("1 second")
      }
      assert.deepStrictEqual(yield* news, [
        `WARN ground truth is missing: ${why}`,
        "INFO the chain answers again, and nothing is missing"
      ])

      // A node that has nothing below slot 160: that is told once, when all that is asked for at once has come.
      memory.doubt({ start: 32, end: 319 })
      yield* TestClock.adjust("5 minutes")
      for (const tile of [9, 8, 7]) yield* answers(tile)
      for (let minute = 0; minute < 60; minute++) {
        for (const tile of [4, 3, 2, 1]) {
          yield* fails(tile)
          yield* answers(tile === 4 ? 6 : 5)
        }
        yield* TestClock.adjust("1 minute")
      }
      assert.deepStrictEqual(yield* news, [
        "WARN the oldest slot that the chain gives is 160: ground truth is missing for the 128 slots before it that would " +
          `be of interest (from 32), and nobody is judged by them; they are asked for again now and then: ${why}`
      ])
      for (const tile of [4, 3, 2, 1]) yield* answers(tile)
      assert.deepStrictEqual(yield* news, ["INFO the chain answers again, and nothing is missing"])
    }).pipe(Effect.provide(Logger.replace(Logger.defaultLogger, logger)))
  })
})
