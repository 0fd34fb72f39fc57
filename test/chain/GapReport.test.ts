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
      // A node that has nothing below slot 160: old tiles and new ones are asked for in turn.
      for (let minute = 0; minute < 11; minute++) {
        for (const tile of [4, 3, 2, 1]) {
          yield* fails(tile)
          yield* answers(5 + tile)
        }
        yield* TestClock.adjust("1 minute")
      }
      const why = "a tile: the node has no such block (404)"
      assert.deepStrictEqual(yield* news, [
        `WARN ground truth is missing for 32 slots (128 to 159): ${why}`,
        `WARN ground truth is missing for 128 slots (32 to 159): ${why}`,
        `WARN ground truth is missing for 128 slots (32 to 159): ${why}`
      ])
      for (const tile of [1, 3, 2]) yield* answers(tile)
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
    }).pipe(Effect.provide(Logger.replace(Logger.defaultLogger, logger)))
  })
})
