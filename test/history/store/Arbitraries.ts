import { FastCheck as fc, Option } from "effect"
import type { Claim } from "../../../src/domain/peer/Claim.ts"
import { FindingKind } from "../../../src/domain/peer/Finding.ts"
import type { Conversation } from "../../../src/domain/peer/Verdict.ts"
import { type Outcome, type Probe, ProbePurpose } from "../../../src/domain/probe/Job.ts"
import { InvalidCheck, outcomeKinds, SuspicionKind } from "../../../src/domain/probe/Outcome.ts"

import type { PeerStanding } from "../../../src/history/store/History.ts"
import { HistoryRecord } from "../../../src/history/store/HistoryRecord.ts"
import { rootOf } from "./Fixture.ts"

/** The peers that records are of. */
export const peerIds = ["16Uiu2HAmA", "16Uiu2HAmB", "16Uiu2HAmC"]
const moment = fc.integer({ min: 1_700_000_000_000, max: 1_800_000_000_000 })
const columns = fc.uniqueArray(fc.nat(127), { minLength: 1, maxLength: 128 }).map((all) => all.sort((a, b) => a - b))
const conversation = fc.constantFrom<Conversation>("answered", "unanswered", "refused")
const reason = fc.oneof(fc.constantFrom("no answer within 10000 ms (firstChunk)", 'it\'s "gone"; --'), fc.string())
/** Few, so that probes of one peer meet in a chunk, and some across the edge of one. */
const startSlot = fc.oneof(fc.integer({ min: 100, max: 140 }), fc.integer({ min: 12_000_000, max: 12_000_200 }))

const outcomesOf = (slots: ReadonlyArray<number>, columns: ReadonlyArray<number>) =>
  fc
    .oneof(
      fc.constantFrom(...outcomeKinds).map((kind) => [kind]),
      fc.constant(outcomeKinds)
    )
    .chain((kinds) =>
      fc.tuple(
        ...slots.flatMap((slot) =>
          columns.map((column) =>
            fc
              .record({
                kind: fc.constantFrom(...kinds),
                reason,
                check: fc.constantFrom(...InvalidCheck.literals),
                suspicion: fc.constantFrom(...SuspicionKind.literals),
                skip: fc.boolean()
              })
              .map(({ check, kind, reason, skip, suspicion }): ReadonlyArray<Outcome> =>
                skip && column % 2 === 0
                  ? []
                  : [
                      {
                        slot,
                        column,
                        outcome: kind,
                        ...(kind === "suspected" ? { suspicion } : {}),
                        ...(kind === "invalid" || (kind === "suspected" && suspicion === "invalid") ? { check } : {}),
                        ...(kind === "success" ? {} : { reason }),
                        blockRoot: rootOf(slot),
                        blobs: slot % 7
                      }
                    ]
              )
          )
        )
      )
    )

export const probeArbitrary: fc.Arbitrary<Probe> = fc
  .record({ startSlot, count: fc.integer({ min: 1, max: 6 }), columns, peerId: fc.constantFrom(...peerIds) })
  .chain((job) => {
    const slots = Array.from({ length: job.count }, (_, index) => job.startSlot + index)
    return fc.record({
      id: fc.uuid(),
      purpose: fc.constantFrom(...ProbePurpose.literals),
      job: fc.constant(job),
      startedAt: moment,
      finishedAt: moment,
      timings: fc.record({
        open: fc.option(fc.nat(10_000)),
        firstByte: fc.option(fc.nat(10_000)),
        total: fc.float({ min: 0, max: 60_000, noNaN: true }).map((ms) => ms + 0)
      }),
      requests: fc.integer({ min: 1, max: 10 }),
      bytes: fc.nat(2 ** 31 - 1),
      recovered: fc.nat(9),
      outcomes: outcomesOf(slots, job.columns).map((parts) => parts.flat()),
      findings: fc.array(fc.record({ kind: fc.constantFrom(...FindingKind.literals), detail: fc.string() }), {
        maxLength: 3
      })
    })
  })

const claimArbitrary: fc.Arbitrary<Claim> = fc.record({
  custodyGroupCount: fc.constantFrom(4, 8, 128),
  source: fc.constantFrom("metadata", "enr", "default"),
  columns,
  earliestAvailableSlot: fc.option(fc.constantFrom(0, 100, 2 ** 64)),
  headSlot: fc.nat(),
  finalized: fc.option(fc.record({ epoch: fc.constantFrom(0, 2 ** 64), root: fc.constant(rootOf(7)) })),
  forkDigest: fc.constantFrom("0x01020304", "0xfeedbeef"),
  sequenceNumber: fc.option(fc.nat(5)),
  observedAt: moment
})

const standingArbitrary: fc.Arbitrary<PeerStanding> = fc.record({
  suspicions: fc.array(
    fc.record({
      slot: startSlot,
      blockRoot: startSlot.map(rootOf),
      columns: fc.array(
        fc.record({ column: fc.nat(127), suspicion: fc.constantFrom(...SuspicionKind.literals), reason: fc.string() }),
        { maxLength: 3 }
      ),
      since: moment,
      attempts: fc.nat(9),
      askAgainAt: moment
    }),
    { maxLength: 3 }
  ),
  score: fc.record({ value: fc.double({ min: 0, max: 1, noNaN: true }), at: moment }),
  restraint: fc.record(
    { level: fc.double({ min: 0, max: 10, noNaN: true }), at: moment, answered: fc.nat(4096) },
    { requiredKeys: ["level", "at"] }
  ),
  evasion: fc.record({
    asked: fc.nat(32),
    escaped: fc.nat(32),
    ordinary: fc.nat(64),
    troubled: fc.nat(64),
    countedAt: moment
  })
})

const optional = <A>(value: fc.Arbitrary<A>) => fc.option(value).map((one) => Option.fromNullable(one))

/** Any record of a handful of peers. */
export const recordArbitrary: fc.Arbitrary<HistoryRecord> = fc.constantFrom(...peerIds).chain((peerId) =>
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc
        .record({ probe: probeArbitrary, conversation, coverage: fc.constant(Option.none()) })
        .map((args) => HistoryRecord.Probe(args))
    },
    fc
      .record({ conversation, failure: fc.string(), at: moment })
      .map((args) => HistoryRecord.Conversation({ peerId, ...args })),
    claimArbitrary.map((claim) => HistoryRecord.Claim({ peerId, claim })),
    standingArbitrary.map((standing) => HistoryRecord.Standing({ peerId, standing })),
    fc
      .dictionary(fc.constantFrom(...FindingKind.literals), fc.integer({ min: 1, max: 9 }), { maxKeys: 3 })
      .map((findings) => HistoryRecord.Findings({ peerId, findings })),
    fc
      .record({ agent: optional(fc.fullUnicodeString()), address: optional(fc.string()), at: moment })
      .map((args) => HistoryRecord.Peer({ peerId, ...args })),
    fc
      .record({ slot: startSlot, at: moment })
      .map(({ at, slot }) => HistoryRecord.Orphan({ slot, root: rootOf(slot), at }))
  )
)
