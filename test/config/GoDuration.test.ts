import { assert, describe, it } from "@effect/vitest"
import { Duration, Either, FastCheck } from "effect"
import { formatGoDuration, parseGoDuration } from "../../src/config/GoDuration.ts"

describe("GoDuration", () => {
  it.each([
    ["300ms", 300],
    ["10s", 10_000],
    ["5m", 300_000],
    ["1h30m", 5_400_000],
    ["1.5h", 5_400_000],
    ["18d", 1_555_200_000],
    ["0s", 0],
    ["1m500ms", 60_500],
    ["0.0004s", 0]
  ])("reads %s", (text, millis) => {
    assert.deepStrictEqual(Either.map(parseGoDuration(text), Duration.toMillis), Either.right(millis))
  })

  it.each([
    "",
    "10",
    "10 s",
    " 10s",
    "10S",
    "-1s",
    "+1s",
    ".5s",
    "5.s",
    "1e3s",
    "s",
    "1s1",
    "PT10S",
    "10 seconds",
    "1w",
    "1µs",
    "1s\n"
  ])("refuses %j", (text) => {
    assert.isTrue(Either.isLeft(parseGoDuration(text)))
  })

  it("reads what it writes", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.maxSafeNat(), (millis) => {
        assert.deepStrictEqual(
          Either.map(parseGoDuration(formatGoDuration(Duration.millis(millis))), Duration.toMillis),
          Either.right(millis)
        )
      }),
      { seed: 1, numRuns: 500 }
    )
  })

  it("answers a long text quickly", () => {
    const started = performance.now()
    assert.isTrue(Either.isLeft(parseGoDuration(`${"1".repeat(500_000)}x`)))
    assert.isTrue(Either.isLeft(parseGoDuration(`${"1s".repeat(250_000)}x`)))
    assert.isBelow(performance.now() - started, 2000)
  })
})
