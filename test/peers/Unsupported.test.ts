import { assert, describe, it } from "@effect/vitest"
import { Clock, Duration, Effect, Option, TestClock } from "effect"
import { PeerRefused } from "../../src/domain/probe/Outcome.ts"
import { History } from "../../src/history/store/History.ts"
import { peer } from "../probe/FakeWorld.ts"
import { dialled, Fakes, layerIdleSampler, saying, type Script, timesOf, view, world } from "./Script.ts"

const unsupported = new PeerRefused({ reason: "unsupported_protocol", detail: "no protocol in common" })
const slowly = { addresses: [dialled], testInterval: Duration.minutes(1), refreshInterval: Duration.minutes(1) }

/** The first handshakes fail for want of a protocol; gives when each was tried, in seconds. */
const withoutStatus = (times: number, tries: Array<number>) => (script: Script) => {
  script.refresh = () =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => {
      tries.push(Math.round(now / 1000))
      return tries.length <= times ? unsupported : Effect.succeed(saying(8))
    })
}

const verdictAfter = (time: Duration.DurationInput) =>
  Effect.zipRight(
    TestClock.adjust(time),
    Effect.map(view(peer.peerId), ({ verdict }) => verdict)
  )

describe("a peer whose handlers are not registered yet", () => {
  it.effect("is asked again after seconds, and is not one that refuses", () => {
    const tries: Array<number> = []
    return Effect.gen(function* () {
      const seen = new Set<string>()
      for (let second = 0; second < 60; second++) seen.add(yield* verdictAfter("1 second"))
      assert.deepStrictEqual(tries.slice(0, 5), [0, 3, 8, 17, 32])
      assert.deepStrictEqual([...seen], ["unknown", "compliant"])
    }).pipe(Effect.provide(world(withoutStatus(4, tries), slowly)))
  })

  it.effect("refuses when that goes on for minutes, until a handshake, which clears it at once", () => {
    const tries: Array<number> = []
    return Effect.gen(function* () {
      assert.strictEqual(yield* verdictAfter("90 seconds"), "unknown")
      assert.lengthOf(tries, 6)
      assert.strictEqual(yield* verdictAfter("2 minutes"), "refusing")
      assert.strictEqual(yield* verdictAfter("20 minutes"), "refusing")
      assert.isBelow(tries.length, 14)
      while (tries.length < 14) yield* TestClock.adjust("10 seconds")
      // Nothing was asked of it yet that it could have answered.
      assert.strictEqual(yield* verdictAfter("1 second"), "unknown")
    }).pipe(Effect.provide(world(withoutStatus(13, tries), slowly, { sampler: layerIdleSampler })))
  })
})

describe("a peer that never serves columns", () => {
  const counts = Effect.gen(function* () {
    const { findings, outcomes, verdict } = yield* view(peer.peerId)
    const kept = yield* Effect.flatMap(History, (history) => history.peer(peer.peerId))
    return {
      verdict,
      told: [findings.columns_not_served ?? 0, kept.findings.columns_not_served ?? 0],
      refused: outcomes.refused
    }
  })

  it.effect("gets a finding, once, and is not one that refuses; once it serves them it is as any other", () =>
    Effect.gen(function* () {
      const { script } = yield* Fakes
      yield* TestClock.adjust("90 seconds")
      assert.deepStrictEqual(yield* counts, { verdict: "unknown", told: [0, 0], refused: 0 })
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(yield* counts, { verdict: "unknown", told: [1, 1], refused: 0 })
      assert.isAtLeast(timesOf(script, peer.peerId).length, 12)
      assert.include((yield* view(peer.peerId)).lastFailure ?? "", "unsupported_protocol")
      script.probe = () => Effect.succeedNone
      yield* TestClock.adjust("10 minutes")
      assert.deepStrictEqual(yield* counts, { verdict: "compliant", told: [1, 1], refused: 0 })
      script.probe = () => Effect.succeedSome(unsupported)
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(yield* counts, { verdict: "compliant", told: [2, 2], refused: 0 })
    }).pipe(
      Effect.provide(
        world((script) => {
          script.probe = () => Effect.succeedSome(unsupported)
        }, slowly)
      )
    )
  )

  it.effect("has the refusal counted that is no want of a protocol", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("30 minutes")
      const { told, verdict } = yield* counts
      assert.deepStrictEqual([verdict, told], ["refusing", [0, 0]])
    }).pipe(
      Effect.provide(
        world((script) => {
          script.probe = () => Effect.succeed(Option.some(new PeerRefused({ reason: "rate_limited", detail: "later" })))
        }, slowly)
      )
    )
  )
})
