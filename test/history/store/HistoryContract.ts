import { assert, describe, it } from "@effect/vitest"
import { Effect, type Layer, Option } from "effect"
import { unrestrained } from "../../../src/domain/peer/Restraint.ts"
import { neutralScore } from "../../../src/domain/peer/Score.ts"
import { noEvasion } from "../../../src/domain/peer/Evasion.ts"
import { noOutcomes } from "../../../src/domain/probe/Outcome.ts"
import { noConversations } from "../../../src/domain/peer/Verdict.ts"
import { History, type HistoryError } from "../../../src/history/store/History.ts"
import { claim, outcome, probe, rootOf, testedSlots } from "./Fixture.ts"

/** What every History must do; `layer` gives an empty one each time it is built. */
export const historyContract = (name: string, layer: Layer.Layer<History, HistoryError>): void => {
  describe(`${name} is a History`, () => {
    const test = <E>(title: string, body: Effect.Effect<void, E, History>) =>
      it.effect(title, () => Effect.provide(body, layer))

    test(
      "knows nothing of a peer that was never met",
      Effect.gen(function* () {
        const history = yield* History
        assert.deepStrictEqual(yield* history.peer("nobody"), {
          agent: Option.none(),
          address: Option.none(),
          outcomes: noOutcomes,
          conversations: noConversations,
          findings: {},
          lastProbeAt: Option.none(),
          lastFailure: Option.none(),
          coverage: Option.none(),
          standing: { suspicions: [], evasion: noEvasion, restraint: unrestrained, score: neutralScore },
          recovered: 0,
          blamedAt: Option.none()
        })
        assert.deepStrictEqual(yield* history.failing("nobody", 0), [])
        assert.deepStrictEqual(yield* history.claims("nobody"), [])
        assert.deepStrictEqual(yield* history.coverage("nobody", 0), [])
        assert.deepStrictEqual(yield* history.probe("nothing"), Option.none())
        assert.deepStrictEqual(yield* history.totals, { probes: 0, outcomes: noOutcomes })
      })
    )

    test(
      "gives a probe back as it was, every outcome with its check and reason",
      Effect.gen(function* () {
        const history = yield* History
        const all = probe(
          "p1",
          "a",
          [
            outcome(127, 0, "success"),
            outcome(127, 8, "invalid", "cell 3 does not verify"),
            outcome(128, 0, "missing", "column 0 of slot 128 is missing"),
            outcome(128, 8, "missing", "column 8 of slot 128 is missing"),
            outcome(129, 0, "timeout", "no answer"),
            outcome(129, 8, "timeout", "no answer"),
            outcome(131, 0, "timeout", "another"),
            outcome(131, 8, "unverifiable"),
            { ...outcome(140, 0, "success"), blockRoot: "0xaa", blobs: 1 },
            { ...outcome(140, 8, "success"), blockRoot: "0xbb", blobs: 2 },
            outcome(141, 127, "refused", "rate limited"),
            { ...outcome(142, 0, "suspected", "left out"), suspicion: "missing" },
            { ...outcome(142, 8, "suspected", "left out"), suspicion: "missing" },
            { ...outcome(143, 0, "suspected", "noise"), suspicion: "invalid", check: "header" }
          ],
          {
            purpose: "confirmation",
            recovered: 1,
            timings: { open: null, firstByte: null, total: 12.5 },
            requests: 3,
            findings: [{ kind: "duplicate_sidecar", detail: "twice" }]
          }
        )
        yield* history.recordProbe({ ...all, outcomes: [...all.outcomes].reverse() }, "answered")
        yield* history.flush
        assert.deepStrictEqual(yield* history.probe("p1"), Option.some(all))
        assert.deepStrictEqual(yield* history.probe("p2"), Option.none())
      })
    )

    test(
      "sums up a peer, and all peers",
      Effect.gen(function* () {
        const history = yield* History
        yield* history.recordPeer("a", {
          agent: Option.some("Lighthouse/v8"),
          address: Option.some("/ip4/1.2.3.4/tcp/9000"),
          at: 1
        })
        yield* history.recordConversation("a", "unanswered", "cannot be dialed", 5)
        yield* history.recordProbe(probe("p1", "a", [outcome(1, 1, "success"), outcome(1, 2, "success")]), "answered", {
          owed: 80,
          tested: 2,
          failed: 0
        })
        yield* history.recordProbe(
          probe("p2", "a", [outcome(2, 1, "timeout", "slow"), outcome(2, 2, "success")], {
            finishedAt: 1_700_000_009_000,
            findings: [
              { kind: "unordered_sidecar", detail: "" },
              { kind: "unordered_sidecar", detail: "" }
            ]
          }),
          "unanswered"
        )
        yield* history.recordProbe(probe("p3", "b", [outcome(1, 1, "refused", "full")]), "refused")
        yield* history.recordFindings("a", { unordered_sidecar: 1, claim_mismatch: 2 })
        yield* history.flush
        assert.deepStrictEqual(yield* history.peer("a"), {
          agent: Option.some("Lighthouse/v8"),
          address: Option.some("/ip4/1.2.3.4/tcp/9000"),
          outcomes: { ...noOutcomes, success: 3, timeout: 1 },
          conversations: { answered: 1, unanswered: 2, refused: 0 },
          findings: { unordered_sidecar: 3, claim_mismatch: 2 },
          lastProbeAt: Option.some(1_700_000_009_000),
          lastFailure: Option.some("slow"),
          coverage: Option.some({ owed: 80, tested: 2, failed: 0 }),
          standing: { suspicions: [], evasion: noEvasion, restraint: unrestrained, score: neutralScore },
          recovered: 0,
          blamedAt: Option.none()
        })
        assert.deepStrictEqual(new Set((yield* history.blocks(2)).map(({ slot }) => slot)), new Set([2]))
        assert.lengthOf(yield* history.blocks(0), 2)
        assert.deepStrictEqual((yield* history.peer("b")).conversations, { answered: 0, unanswered: 0, refused: 1 })
        assert.deepStrictEqual(yield* history.totals, {
          probes: 3,
          outcomes: { ...noOutcomes, success: 3, timeout: 1, refused: 1 }
        })
      })
    )

    test(
      "knows a peer by the newest agent and address that it was told",
      Effect.gen(function* () {
        const history = yield* History
        const known = Effect.zipRight(
          history.flush,
          Effect.map(history.peer("a"), ({ address, agent }) => [Option.getOrNull(agent), Option.getOrNull(address)])
        )
        assert.deepStrictEqual(yield* known, [null, null])
        const seen = { agent: Option.some("Teku/1"), address: Option.some("/ip4/192.0.2.7/tcp/9000"), at: 1 }
        yield* history.recordPeer("a", seen)
        assert.deepStrictEqual(yield* known, ["Teku/1", "/ip4/192.0.2.7/tcp/9000"])
        yield* history.recordPeer("a", { ...seen, agent: Option.none(), address: Option.some("/ip4/192.0.2.8/tcp/1") })
        yield* history.recordProbe(probe("p1", "a", [outcome(1, 1, "success")]), "answered")
        assert.deepStrictEqual(yield* known, ["Teku/1", "/ip4/192.0.2.8/tcp/1"])
      })
    )

    test(
      "shows the newest blamed failure, and another one only until there is one",
      Effect.gen(function* () {
        const history = yield* History
        const failure = Effect.zipRight(
          history.flush,
          Effect.map(history.peer("a"), ({ lastFailure }) => lastFailure)
        )
        yield* history.recordConversation("a", "refused", "turned away", 1)
        assert.deepStrictEqual(yield* failure, Option.some("turned away"))
        yield* history.recordProbe(
          probe("p1", "a", [outcome(1, 1, "timeout", "slow"), outcome(1, 2, "missing", "not there")]),
          "answered"
        )
        assert.deepStrictEqual(yield* failure, Option.some("not there"))
        yield* history.recordConversation("a", "unanswered", "gone", 2)
        yield* history.recordProbe(probe("p2", "a", [outcome(1, 1, "success")]), "answered")
        assert.deepStrictEqual(yield* failure, Option.some("not there"))
        yield* history.recordProbe(probe("p3", "a", [outcome(1, 1, "invalid", "wrong")]), "answered")
        assert.deepStrictEqual(yield* failure, Option.some("wrong"))
      })
    )

    test(
      "records a probe once, however often it is handed in",
      Effect.gen(function* () {
        const history = yield* History
        const same = probe("p1", "a", [outcome(1, 1, "missing", "not there")])
        yield* history.recordProbe(same, "answered")
        yield* history.recordProbe(same, "answered")
        yield* history.flush
        yield* history.recordProbe(same, "answered")
        yield* history.flush
        assert.strictEqual((yield* history.totals).probes, 1)
        assert.strictEqual((yield* history.peer("a")).outcomes.missing, 1)
        assert.strictEqual((yield* history.peer("a")).conversations.answered, 1)
      })
    )

    test(
      "lets the newest proof decide what is covered, and nothing that proves nothing",
      Effect.gen(function* () {
        const history = yield* History
        const coverage = (fromSlot: number) =>
          Effect.zipRight(history.flush, Effect.map(history.coverage("a", fromSlot), testedSlots))
        yield* history.recordProbe(
          probe("p1", "a", [
            outcome(126, 0, "timeout", "slow"),
            outcome(127, 0, "success"),
            outcome(127, 127, "missing", "not there"),
            outcome(128, 64, "unavailable", "says so"),
            outcome(128, 3, "unverifiable", "unknown")
          ]),
          "answered"
        )
        yield* history.recordProbe(probe("p2", "b", [outcome(127, 9, "success")]), "answered")
        assert.deepStrictEqual(yield* coverage(0), [
          { slot: 127, succeeded: [0], failed: [127], testedAt: 1_700_000_000_500 },
          { slot: 128, succeeded: [], failed: [64], testedAt: 1_700_000_000_500 }
        ])
        yield* history.recordProbe(
          probe("p3", "a", [outcome(127, 0, "malformed", "noise"), outcome(127, 127, "success")], {
            finishedAt: 1_700_000_060_000
          }),
          "answered"
        )
        yield* history.recordProbe(
          probe("p4", "a", [outcome(127, 0, "refused", "full"), outcome(127, 127, "disconnected", "gone")], {
            finishedAt: 1_700_000_070_000
          }),
          "refused"
        )
        assert.deepStrictEqual(yield* coverage(0), [
          { slot: 127, succeeded: [127], failed: [0], testedAt: 1_700_000_060_000 },
          { slot: 128, succeeded: [], failed: [64], testedAt: 1_700_000_000_500 }
        ])
        assert.deepStrictEqual(
          (yield* coverage(128)).map(({ slot }) => slot),
          [128]
        )
        assert.deepStrictEqual(yield* coverage(256), [])
        assert.deepStrictEqual((yield* coverage(-5)).length, 2)
        const blocks = yield* history.coverage("a", 0)
        assert.deepStrictEqual(
          blocks.map(({ firstSlot }) => firstSlot),
          [0, 128]
        )
        assert.deepStrictEqual(
          blocks.map(({ failed, succeeded, testedAt }) => [succeeded.length, failed.length, testedAt.length]),
          [
            [2048, 2048, 128],
            [2048, 2048, 128]
          ]
        )
      })
    )

    test(
      "finds the coverage of one peer among that of others, and across long gaps",
      Effect.gen(function* () {
        const history = yield* History
        const slots = [0, 127, 128, 8_191, 8_192, 8_320, 1_000_000, 12_000_000, 14_000_000]
        for (const peer of ["b", "a", "c"]) {
          for (const slot of peer === "a" ? slots : [...slots, 64 * 128 * 9, 13_000_000]) {
            yield* history.recordProbe(
              probe(`${peer}${slot}`, peer, [outcome(slot, slot % 128, "success")]),
              "answered"
            )
          }
        }
        yield* history.flush
        const tested = (fromSlot: number) =>
          Effect.map(history.coverage("a", fromSlot), (blocks) => testedSlots(blocks).map(({ slot }) => slot))
        assert.deepStrictEqual(yield* tested(0), slots)
        assert.deepStrictEqual(yield* tested(8_320), slots.slice(5))
        assert.deepStrictEqual(yield* tested(8_448), slots.slice(6))
        assert.deepStrictEqual(yield* tested(14_000_128), [])
      })
    )

    test(
      "does not count what was held against a block that was orphaned since",
      Effect.gen(function* () {
        const history = yield* History
        const tested = Effect.zipRight(history.flush, Effect.map(history.coverage("a", 0), testedSlots))
        const at = (finishedAt: number, startedAt = finishedAt - 100) => ({ finishedAt, startedAt })
        const both = [outcome(130, 1, "success"), outcome(131, 1, "missing", "not there")]
        yield* history.recordProbe(probe("p1", "a", both, at(1000)), "answered")
        yield* history.recordProbe(probe("p2", "a", [outcome(400, 1, "success")], at(1000)), "answered")
        yield* history.recordOrphan(131, rootOf(131), 2000)
        yield* history.recordOrphan(400, rootOf(400), 2000)
        const kept = { slot: 130, succeeded: [1], failed: [], testedAt: 1000 }
        assert.deepStrictEqual(yield* tested, [kept])
        assert.strictEqual((yield* history.coverage("a", 0)).length, 1)
        const straddling = probe("p3", "a", [outcome(131, 2, "success")], at(2500, 1900))
        yield* history.recordProbe(straddling, "answered")
        assert.deepStrictEqual(yield* tested, [kept])
        const other = { ...outcome(131, 3, "success"), blockRoot: "0xcc" }
        yield* history.recordProbe(probe("p4", "a", [other], at(3000)), "answered")
        assert.deepStrictEqual(yield* tested, [kept, { slot: 131, succeeded: [3], failed: [], testedAt: 3000 }])
        yield* history.recordOrphan(131, rootOf(131), 2000)
        assert.strictEqual((yield* tested).length, 2)
        yield* history.recordOrphan(131, "0xcc", 4000)
        assert.deepStrictEqual(yield* tested, [kept])
        assert.deepStrictEqual(yield* history.blocks(0), [{ slot: 130, root: rootOf(130) }])
        assert.strictEqual((yield* history.peer("a")).outcomes.missing, 1, "outcomes happened all the same")
        assert.strictEqual((yield* history.totals).outcomes.success, 4)
      })
    )

    test(
      "says that it records",
      Effect.gen(function* () {
        const history = yield* History
        yield* history.recordProbe(probe("p1", "a", [outcome(1, 1, "success")]), "answered")
        yield* history.flush
        assert.deepStrictEqual(yield* history.state, { state: "recording", reason: null, queued: 0 })
      })
    )

    test(
      "keeps the claims of a peer that differ, in their order",
      Effect.gen(function* () {
        const history = yield* History
        const first = claim()
        const second = claim({ custodyGroupCount: 8, columns: [0, 1], earliestAvailableSlot: null, observedAt: 2 })
        const third = claim({ earliestAvailableSlot: 2 ** 64, sequenceNumber: null, observedAt: 3 })
        yield* history.recordClaim("a", first)
        yield* history.recordClaim("a", { ...first, headSlot: 901, observedAt: 1 })
        yield* history.recordClaim("b", second)
        yield* history.recordClaim("a", second)
        yield* history.recordClaim("a", third)
        yield* history.flush
        assert.deepStrictEqual(yield* history.claims("a"), [first, second, third])
        assert.deepStrictEqual(yield* history.claims("b"), [second])
      })
    )

    test(
      "keeps few claims of a peer that changes them all day, the first and the newest",
      Effect.gen(function* () {
        const history = yield* History
        const noon = 19_700.5 * 86_400_000
        const claims = Array.from({ length: 300 }, (_, n) =>
          claim({ custodyGroupCount: 4 + (n % 7), observedAt: noon + n * 10_000 })
        )
        yield* Effect.forEach(claims, (claim) => history.recordClaim("a", claim))
        yield* history.flush
        const kept = yield* history.claims("a")
        assert.lengthOf(kept, 24)
        assert.deepStrictEqual(kept.slice(0, 8), claims.slice(0, 8))
        assert.deepStrictEqual(kept.slice(-15), claims.slice(-15))
        assert.strictEqual(kept[8]?.custodyGroupCount, 4)
      })
    )

    test(
      "takes whatever strangers write",
      Effect.gen(function* () {
        const history = yield* History
        const nasty = '\'; DROP TABLE peers; -- \u0000 \ud83d\ude00 " \\ \n {"a":1}'
        yield* history.recordPeer(nasty, { agent: Option.some(nasty), address: Option.some(nasty), at: 1 })
        yield* history.recordProbe(probe(nasty, nasty, [outcome(1, 1, "missing", nasty)]), "answered")
        yield* history.flush
        assert.deepStrictEqual((yield* history.peer(nasty)).lastFailure, Option.some(nasty))
        assert.deepStrictEqual(
          Option.map(yield* history.probe(nasty), ({ outcomes }) => outcomes.map(({ reason }) => reason)),
          Option.some([nasty])
        )
      })
    )
  })
}
