import { assert } from "@effect/vitest"
import { Effect, type Layer, Option } from "effect"
import type { SlotVerdict } from "../../../src/domain/availability/SlotVerdict.ts"
import { unrestrained } from "../../../src/domain/peer/Restraint.ts"
import { neutralScore } from "../../../src/domain/peer/Score.ts"
import { dayMs } from "../../../src/domain/Day.ts"
import { noEvasion } from "../../../src/domain/peer/Evasion.ts"
import type { OutcomeKind } from "../../../src/domain/probe/Outcome.ts"
import { type ReportError, Reports } from "../../../src/history/report/Reports.ts"
import { History } from "../../../src/history/store/History.ts"
import { shared } from "../../Shared.ts"
import { claim, outcome, probe, rootOf } from "../store/Fixture.ts"

export const day = 20_000
/** Unix milliseconds within a day. */
const at = (days: number, ms = 0): number => (day + days) * dayMs + ms
export const network = {
  network: "hoodi",
  genesisTime: at(-10) / 1000,
  genesisValidatorsRoot: new Uint8Array(32),
  slotDurationMs: 12_000,
  slotsPerEpoch: 32,
  retentionEpochs: 4096
}

export const counts = (more: Partial<Record<OutcomeKind, number>>) => ({
  success: 0,
  missing: 0,
  invalid: 0,
  unavailable: 0,
  malformed: 0,
  timeout: 0,
  disconnected: 0,
  refused: 0,
  unverifiable: 0,
  suspected: 0,
  ...more
})

/** Thirty changes on one day, ever more groups. */
const claimsOfC = Array.from({ length: 30 }, (_, n) =>
  claim({ custodyGroupCount: 4 + n, observedAt: at(2, n * 10_000) })
)

/** Two peers over three days: `a` changes its version, `b` has no agent, fails, and has failed in an orphaned block. */
export const record = Effect.gen(function* () {
  const history = yield* History
  yield* history.recordPeer("a", {
    agent: Option.some("Lighthouse/v8.0.0-abcdef1/x86_64-linux"),
    address: Option.none(),
    at: at(0)
  })
  yield* history.recordClaim("a", claim({ custodyGroupCount: 128 }))
  yield* Effect.forEach(claimsOfC, (claim) => history.recordClaim("c", claim))
  const good = [1, 2, 3, 4].map((column) => outcome(1000, column, "success"))
  yield* history.recordProbe(probe("p1", "a", good, { finishedAt: at(0, 500), bytes: 10 }), "answered")
  yield* history.recordOrphan(1000, rootOf(1000), at(0, 600))
  yield* history.recordPeer("a", {
    agent: Option.some("Lighthouse/v8.0.1/x86_64-linux"),
    address: Option.none(),
    at: at(1)
  })
  yield* history.recordProbe(
    probe("p2", "a", [outcome(1000, 1, "success"), outcome(1001, 2, "timeout", "slow")], {
      startedAt: at(1),
      finishedAt: at(1)
    }),
    "answered",
    { owed: 100, tested: 5, failed: 0 }
  )
  yield* history.recordProbe(
    probe(
      "p3",
      "b",
      [
        outcome(1000, 4, "success"),
        outcome(1000, 5, "missing", "column 5 is missing"),
        outcome(1001, 4, "missing", "not there"),
        outcome(1001, 5, "missing", "not there"),
        outcome(1002, 4, "invalid", "does not verify"),
        outcome(1003, 4, "suspected", "left out")
      ],
      { startedAt: at(2), finishedAt: at(2), bytes: 20, recovered: 1, purpose: "confirmation" }
    ),
    "answered",
    { owed: 50, tested: 5, failed: 4 }
  )
  yield* history.recordStanding("b", {
    suspicions: [suspected],
    evasion: escapes,
    restraint: unrestrained,
    score: neutralScore
  })
  yield* history.recordAvailability(sampled(1000, "available", 3_000))
  yield* history.recordAvailability(sampled(1005, "undetermined", 21_000))
  yield* history.recordAvailability(sampled(1006, "unavailable", 21_000))
  // Of a block that was sampled before the first verdict stays.
  yield* history.recordAvailability({ ...sampled(1006, "available", 1_000), reason: "another time" })
  yield* history.flush
})

/** What sampling the block of a slot came to, decided on the third day. */
const sampled = (slot: number, verdict: SlotVerdict["verdict"], decidedAfterMs: number): SlotVerdict => ({
  slot,
  blockRoot: rootOf(slot),
  blobs: 6,
  verdict,
  reason: `${slot} is ${verdict}`,
  samples: verdict === "available" ? 12 : 0,
  allowedFailures: verdict === "available" ? 1 : 0,
  passingProbability: verdict === "available" ? 0.004 : null,
  present: [1, 127],
  absent: verdict === "unavailable" ? [0, 2, 64] : [],
  unanswered: [5],
  peers: 9,
  clients: ["lighthouse", "teku"],
  startedAt: at(2, slot),
  decidedAt: at(2, slot + 100),
  decidedAfterMs,
  held: 4
})

const suspected = {
  slot: 1003,
  blockRoot: rootOf(1003),
  columns: [{ column: 4, suspicion: "missing" as const, reason: "left out" }],
  since: at(2),
  attempts: 8,
  askAgainAt: at(3)
}

const escapes = { asked: 8, escaped: 8, ordinary: 60, troubled: 0, countedAt: at(2) }

/** What every Reports says of one slot, probe or peer; `layer` gives one over a history with `record` in it. */
export const reportsContract = <E>(name: string, layer: Layer.Layer<Reports, E>): void =>
  shared(`single answers ${name}`, layer, ({ live }) => {
    const test = (title: string, body: (reports: Reports["Type"]) => Effect.Effect<unknown, ReportError>) =>
      live(title, () => Effect.flatMap(Reports, body))

    test("say of a slot what sampling it came to, and what the proofs do", (reports) =>
      Effect.gen(function* () {
        const holdings = yield* reports.slot({ slot: 1000 })
        assert.deepStrictEqual(holdings.sampled, [sampled(1000, "available", 3_000)])
        const { held, holders, state, weakest } = holdings
        assert.deepStrictEqual(
          { held, holders, state, weakest },
          {
            held: 2,
            holders: 2,
            state: "untested",
            weakest: { column: 1, peers: 1 }
          }
        )
        assert.deepStrictEqual((yield* reports.slot({ slot: 999 })).sampled, [])
      }))

    test("go through the newest slots, page by page", (reports) =>
      Effect.gen(function* () {
        const nothing = { held: 0, state: "untested" as const, holders: 0, weakest: null }
        const first = yield* reports.slots({ limit: 3 })
        assert.deepStrictEqual(first, {
          rows: [
            { slot: 1006, ...nothing, verdict: "unavailable" },
            { slot: 1005, ...nothing, verdict: "undetermined" },
            { slot: 1002, ...nothing, verdict: null }
          ],
          next: 1002
        })
        const second = yield* reports.slots({ before: 1002, limit: 3 })
        assert.deepStrictEqual(second, {
          rows: [
            { slot: 1001, ...nothing, verdict: null },
            {
              slot: 1000,
              held: 2,
              state: "untested",
              holders: 2,
              weakest: { column: 1, peers: 1 },
              verdict: "available"
            }
          ],
          next: null
        })
        assert.deepStrictEqual((yield* reports.slots({})).rows, [...first.rows, ...second.rows])
      }))

    test("tell of the sampled blocks, and how many were decided in time", (reports) =>
      Effect.gen(function* () {
        const { next, slots, trailing, ...counts } = yield* reports.availability({ limit: 2 })
        assert.deepStrictEqual(counts, { blocks: 3, available: 1, unavailable: 1, undetermined: 1 })
        assert.deepStrictEqual(slots, [sampled(1006, "unavailable", 21_000), sampled(1005, "undetermined", 21_000)])
        assert.isNotNull(next)
        const rest = yield* reports.availability({ limit: 2, before: next })
        assert.deepStrictEqual(rest.slots, [sampled(1000, "available", 3_000)])
        assert.isNull(rest.next)
        const decided = trailing.map(({ deadline, decided, distance }) => `${distance} ${deadline} ${decided}`)
        assert.includeMembers(decided, ["0 attestation 1", "1 aggregate 1", "1 end 2", "2 start 2"])
        const late = yield* reports.availability({ since: at(2, 1_102) })
        assert.deepStrictEqual(
          late.slots.map(({ slot }) => slot),
          [1006, 1005]
        )
        assert.strictEqual(late.blocks, 2)
      }))

    test("say of a slot who holds what, but not of an orphaned block", (reports) =>
      Effect.gen(function* () {
        const holdings = yield* reports.slot({ slot: 1000 })
        assert.deepStrictEqual(holdings.blocks, [{ root: rootOf(1000), blobs: 3, orphaned: true }])
        assert.strictEqual(holdings.columns.length, 128)
        assert.deepStrictEqual(
          holdings.columns.filter(({ failed, peers }) => failed + peers > 0),
          [
            // What p1 brought is void, what came after is not.
            { column: 1, peers: 1, failed: 0, peerIds: ["a"] },
            { column: 4, peers: 1, failed: 0, peerIds: ["b"] },
            { column: 5, peers: 0, failed: 1, peerIds: [] }
          ]
        )
        assert.strictEqual(holdings.held, 2)
        assert.isFalse(holdings.reconstructable)
      }))

    test("list probes newest first, page by page, and why a peer failed", (reports) =>
      Effect.gen(function* () {
        const ids = (options: Parameters<Reports["Type"]["probes"]>[0]) =>
          Effect.map(reports.probes(options), ({ probes }) => probes.map(({ id }) => id))
        assert.deepStrictEqual(yield* ids({}), ["p3", "p2", "p1"])
        const first = yield* reports.probes({ limit: 2 })
        assert.deepStrictEqual(yield* reports.probes({ limit: 2, before: first.next ?? 0 }), {
          probes: (yield* reports.probes({})).probes.slice(2),
          next: null
        })
        assert.deepStrictEqual(yield* ids({ peerId: "a", outcome: "timeout" }), ["p2"])
        assert.deepStrictEqual(yield* ids({ column: 5 }), ["p3"])
        assert.deepStrictEqual(yield* ids({ slot: 1001, column: 2 }), ["p2"])
        assert.deepStrictEqual(yield* ids({ slot: 1001, column: 2, outcome: "success" }), [])
        assert.deepStrictEqual(yield* ids({ peerId: "nobody" }), [])
        const failures = yield* reports.failures({ peerId: "b" })
        assert.deepStrictEqual(
          failures.map(({ check, column, combinations, outcome, reason, slot, suspicion }) => [
            suspicion ?? outcome,
            slot,
            column,
            combinations,
            check,
            reason
          ]),
          [
            ["missing", 1000, 5, 1, null, "column 5 is missing"],
            ["missing", null, null, 2, null, "not there"],
            ["invalid", 1002, 4, 1, "kzg_proof", "does not verify"],
            ["missing", 1003, 4, 1, null, "left out"]
          ]
        )
        assert.strictEqual((yield* reports.failures({ peerId: "b", limit: 1 })).length, 1)
        assert.deepStrictEqual(yield* ids({ outcome: "suspected" }), ["p3"])
        assert.deepInclude(first.probes[0], { purpose: "confirmation", recovered: 1 })
      }))

    test("tell one peer's record, claims and days", (reports) =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* reports.claims({ peerId: "a" }), [claim({ custodyGroupCount: 128 })])
        assert.strictEqual((yield* reports.peer({ peerId: "a" }))?.claimChanges, 1)
        assert.deepStrictEqual(yield* reports.claims({ peerId: "c", limit: 2 }), claimsOfC.slice(-2))
        assert.deepStrictEqual(
          yield* reports.claims({ peerId: "c" }),
          claimsOfC.slice(0, 9).concat(claimsOfC.slice(15))
        )
        assert.strictEqual((yield* reports.peer({ peerId: "c" }))?.claimChanges, claimsOfC.length)
        const record = yield* reports.peer({ peerId: "b" })
        assert.deepInclude(record, { probes: 1, lastFailure: "column 5 is missing", findings: {} })
        assert.deepInclude(record?.outcomes, { success: 1, suspected: 1 })
        assert.deepInclude(record, {
          recovered: 1,
          failing: [
            { slot: 1000, columns: [5], at: at(2) },
            { slot: 1001, columns: [4, 5], at: at(2) },
            { slot: 1002, columns: [4], at: at(2) }
          ],
          suspected: [suspected],
          evasion: escapes
        })
        assert.strictEqual((yield* reports.peer({ peerId: "b", failingSince: at(2) }))?.failing.length, 3)
        assert.strictEqual((yield* reports.peer({ peerId: "b", failingSince: at(2, 1) }))?.failing.length, 0)
        assert.deepInclude(yield* reports.peer({ peerId: "a" }), {
          recovered: 0,
          failing: [],
          suspected: [],
          evasion: noEvasion
        })
        assert.deepInclude(yield* reports.peer({ peerId: "a" }), {
          agent: "Lighthouse/v8.0.1/x86_64-linux",
          address: null,
          firstSeen: at(0),
          lastSeen: at(1)
        })
        assert.isNull(yield* reports.peer({ peerId: "nobody" }))
        assert.deepStrictEqual(
          (yield* reports.peerDays({ peerId: "a" })).map(({ group, tested }) => [group, tested]),
          [
            ["2024-10-04", 4],
            ["2024-10-05", 1]
          ]
        )
        const extent = yield* reports.extent
        assert.deepStrictEqual([extent.firstDay, extent.lastDay, extent.probes], [day, day + 2, 3])
      }))
  })
