import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, TestClock } from "effect"
import {
  ColumnsUnavailable,
  MalformedResponse,
  PeerDisconnected,
  PeerRefused,
  ProbeTimeout,
  type RequestError
} from "../../src/domain/probe/Outcome.ts"
import { NotDialled } from "../../src/host/Host.ts"
import { Doubts } from "../../src/runtime/Doubts.ts"
import { goodbyeCodes } from "../../src/wire/Refusal.ts"
import { peer, reorg, statement } from "../probe/FakeWorld.ts"
import {
  blockSlots,
  columnsOf,
  Fakes,
  giving,
  looking,
  outcomesOf,
  probed,
  results,
  resultsSince,
  strangers,
  without
} from "./TwoIdentities.ts"

const [first = -1, second = -1] = columnsOf(peer.peerId)
const minute = 60_000

describe("the second identity", () => {
  it.effect("asks a peer that was just answered for, soon, and then once in 10 to 30 minutes, and stays a while", () =>
    Effect.gen(function* () {
      const script = yield* Fakes
      const before = yield* results
      for (let round = 0; round < 110; round++) {
        yield* probed()
        yield* TestClock.adjust("1 minute")
      }
      const times = script.visits.map(({ at }) => at)
      assert.isAtLeast(times[0] ?? 0, 10_000)
      assert.isAtMost(times[0] ?? Infinity, 71_000)
      const pauses = times.slice(1).map((at, index) => at - (times[index] ?? 0))
      assert.isAtLeast(pauses.length, 3)
      for (const pause of pauses) {
        assert.isAtLeast(pause, 10 * minute)
        assert.isAtMost(pause, 34 * minute)
      }
      assert.isAbove(new Set(pauses.map((pause) => Math.round(pause / 1000))).size, 1)
      // It leaves as a node does that has too many peers, and not at once.
      for (const [index, { at, code }] of script.goodbyes.entries()) {
        assert.strictEqual(code, goodbyeCodes.tooManyPeers)
        const stay = at - (times[index] ?? 0)
        assert.isAtLeast(stay, 2 * minute)
        assert.isAtMost(stay, 10 * minute + 6000)
      }
      assert.isAtLeast(script.goodbyes.length, times.length - 1)
      assert.deepStrictEqual(
        script.world.requests,
        times.map(() => "by_range")
      )
      assert.deepStrictEqual([script.notes, script.again], [[], []])
      assert.deepStrictEqual(yield* resultsSince(before), { agreed: times.length })
    }).pipe(Effect.provide(looking()))
  )

  it.effect("names a peer that leaves out for it what it gives to the first, after both have asked again", () =>
    Effect.gen(function* () {
      const script = yield* Fakes
      script.toSecond = without([first])
      yield* probed()
      yield* TestClock.adjust("10 minutes")
      assert.lengthOf(script.visits, 1)
      assert.deepStrictEqual([script.notes, script.again], [[], []])
      yield* TestClock.adjust("5 minutes")
      // It was asked before the first identity was, and after it.
      assert.lengthOf(script.visits, 3)
      assert.lengthOf(script.again, 1)
      assert.isAtLeast((script.visits[1]?.at ?? 0) - (script.visits[0]?.at ?? 0), 10 * minute)
      const [{ finding, peerId } = { peerId: "", finding: undefined }] = script.notes
      assert.lengthOf(script.notes, 1)
      assert.strictEqual(peerId, peer.peerId)
      assert.strictEqual(finding?.kind, "serves_by_asker")
      assert.match(
        finding?.detail ?? "",
        new RegExp(`^column ${first} of slot 10\\d .*came, verified, to the first identity, and not to the second; and`)
      )
    }).pipe(Effect.provide(looking()))
  )

  it.effect("names a peer that gives it what it leaves out for the first", () =>
    Effect.gen(function* () {
      const script = yield* Fakes
      script.firstAgain = (job) => outcomesOf(script.world, job, () => ({ outcome: "suspected", suspicion: "missing" }))
      yield* probed(peer.peerId, (column) => ({ outcome: column === second ? "missing" : "success" }))
      yield* TestClock.adjust("15 minutes")
      assert.match(
        script.notes[0]?.finding.detail ?? "",
        new RegExp(`^column ${second} of .* to the second identity, and not to the first`)
      )
    }).pipe(Effect.provide(looking()))
  )

  const passing: ReadonlyArray<readonly [string, (script: Fakes["Type"]) => void]> = [
    ["the second is given it later", (script) => (script.toSecond = giving)],
    [
      "the first does not get it any more",
      (script) =>
        (script.firstAgain = (job) =>
          outcomesOf(script.world, job, () => ({ outcome: "suspected", suspicion: "missing" })))
    ],
    [
      "the first is not answered again",
      (script) => (script.firstAgain = (job) => outcomesOf(script.world, job, () => ({ outcome: "timeout" })))
    ],
    ["its block is replaced", (script) => blockSlots.forEach((slot) => reorg(script.world, slot, 1))]
  ]
  for (const [name, change] of passing) {
    it.effect(`alarms nobody when ${name}`, () =>
      Effect.gen(function* () {
        const script = yield* Fakes
        const before = yield* results
        script.toSecond = without([first])
        yield* probed()
        yield* TestClock.adjust("9 minutes")
        assert.lengthOf(script.visits, 1)
        change(script)
        yield* TestClock.adjust("10 minutes")
        assert.isAtLeast(script.visits.length, 2)
        assert.deepStrictEqual(script.notes, [])
        assert.deepStrictEqual(yield* resultsSince(before), { unconfirmed: 1 })
      }).pipe(Effect.provide(looking()))
    )
  }

  const cut = (error: RequestError) => ({
    byRange: (request: Parameters<typeof giving.byRange>[0]) => ({
      sent: giving.byRange(request).sent.filter(({ column }) => column === second),
      error
    }),
    byRoot: () => ({ sent: [], error })
  })
  const noDisagreement: ReadonlyArray<readonly [string, RequestError, string]> = [
    ["is rate limited", new PeerRefused({ reason: "rate_limited", detail: "", resultCode: 139 }), "refused"],
    ["is banned", new PeerRefused({ reason: "banned", detail: "goodbye 251" }), "refused"],
    ["is not answered", new ProbeTimeout({ stage: "firstChunk", afterMs: 1 }), "unanswered"],
    ["is cut off", new PeerDisconnected({ stage: "body", detail: "reset" }), "unanswered"],
    ["is told code 3", new ColumnsUnavailable({ detail: "" }), "unanswered"],
    ["is sent garbage", new MalformedResponse({ detail: "" }), "unanswered"]
  ]
  for (const [name, error, result] of noDisagreement) {
    it.effect(`finds no disagreement when it ${name}`, () =>
      Effect.gen(function* () {
        const script = yield* Fakes
        const before = yield* results
        script.toSecond = cut(error)
        yield* probed()
        yield* TestClock.adjust("20 minutes")
        assert.deepStrictEqual([script.visits.length, script.notes, script.again], [1, [], []])
        assert.deepStrictEqual(yield* resultsSince(before), { [result]: 1 })
      }).pipe(Effect.provide(looking()))
    )
  }

  it.effect("finds none either when it cannot dial, or when our own dials stand in the way", () =>
    Effect.gen(function* () {
      const script = yield* Fakes
      const before = yield* results
      script.dial = () => new ProbeTimeout({ stage: "dial", afterMs: 8000 })
      yield* probed()
      yield* TestClock.adjust("2 minutes")
      script.dial = () => new NotDialled({ detail: "busy" })
      yield* probed(strangers[1])
      yield* TestClock.adjust("2 minutes")
      script.dial = () => new PeerRefused({ reason: "too_many_peers", detail: "goodbye 129" })
      yield* probed(strangers[2])
      yield* TestClock.adjust("2 minutes")
      assert.deepStrictEqual(yield* resultsSince(before), { unreached: 1, ours: 1, refused: 1 })
      assert.deepStrictEqual(script.notes, [])
    }).pipe(Effect.provide(looking()))
  )

  it.effect("names a peer that claims something else to it, and so again", () =>
    Effect.gen(function* () {
      const script = yield* Fakes
      script.claims.second = statement(4, 500)
      yield* probed()
      yield* TestClock.adjust("20 minutes")
      assert.match(
        script.notes[0]?.finding.detail ?? "",
        /^it says 8 custody groups to the first identity, 4 custody groups to the second; it says earliest available slot 0 .* 500 to the second/
      )
      assert.deepStrictEqual(script.again, [])
    }).pipe(Effect.provide(looking()))
  )

  it.effect("alarms nobody for a claim that moves while both are asked, or that moves back", () =>
    Effect.gen(function* () {
      const script = yield* Fakes
      const before = yield* results
      script.claims.second = { ...statement(8), sequenceNumber: 2 }
      yield* probed()
      yield* TestClock.adjust("5 minutes")
      assert.lengthOf(script.visits, 1)
      script.claims.first = { ...statement(8), sequenceNumber: 2 }
      yield* TestClock.adjust("10 minutes")
      assert.lengthOf(script.visits, 2)
      assert.deepStrictEqual(script.notes, [])
      assert.deepStrictEqual(yield* resultsSince(before), { unconfirmed: 1 })
    }).pipe(Effect.provide(looking()))
  )

  it.effect("doubts itself, and names nobody, when too many peers disagree with it at once", () =>
    Effect.gen(function* () {
      const script = yield* Fakes
      const doubts = yield* Doubts
      const before = yield* results
      for (const [index, peerId] of strangers.entries())
        script.agents.set(peerId, ["Teku/1", "Prysm/2"][index % 2] ?? "")
      script.toSecond = { byRange: () => ({ sent: [] }), byRoot: () => ({ sent: [] }) }
      yield* Effect.forEach(strangers, (peerId) => probed(peerId), { discard: true })
      yield* TestClock.adjust("20 minutes")
      assert.deepStrictEqual(script.notes, [])
      assert.deepStrictEqual(yield* resultsSince(before), { doubted: 3 })
      assert.match(
        (yield* doubts.all)[0] ?? "",
        /^3 of 3 peers of 2 kinds of client answer our two identities differently/
      )
      // It passes when the peers agree again.
      script.toSecond = giving
      for (let round = 0; round < 18; round++) {
        yield* Effect.forEach(strangers, (peerId) => probed(peerId), { discard: true })
        yield* TestClock.adjust("3 minutes")
      }
      assert.deepStrictEqual(yield* doubts.all, [])
    }).pipe(Effect.provide(looking()))
  )

  it.effect("names nobody while nobody can be judged", () =>
    Effect.gen(function* () {
      const script = yield* Fakes
      const before = yield* results
      script.toSecond = without([first])
      yield* probed()
      yield* TestClock.adjust("5 minutes")
      yield* (yield* Doubts).set("clock", Option.some("the clock is wrong"))
      yield* TestClock.adjust("15 minutes")
      assert.deepStrictEqual(script.notes, [])
      assert.deepStrictEqual(yield* resultsSince(before), { doubted: 1 })
    }).pipe(Effect.provide(looking()))
  )

  it.effect("is nothing where the host has none", () =>
    Effect.gen(function* () {
      const script = yield* Fakes
      yield* probed()
      yield* TestClock.adjust("2 hours")
      assert.deepStrictEqual(script.visits, [])
    }).pipe(Effect.provide(looking(false)))
  )
})
