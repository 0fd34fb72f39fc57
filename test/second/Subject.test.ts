import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import type { Job, Outcome } from "../../src/domain/probe/Job.ts"
import { contradicted, type Held, heldAgain, repeated, subjectOf } from "../../src/second/Subject.ts"

const job: Job = { peerId: "peer", startSlot: 100, count: 32, columns: [1, 5, 9, 20, 33, 40, 77, 90, 101, 120] }

const outcomeAt = (slot: number, column: number, over: Partial<Outcome> = {}): Outcome => ({
  slot,
  column,
  outcome: "success",
  blockRoot: `0x${slot}`,
  blobs: 1,
  ...over
})

const probeOf = (outcomes: ReadonlyArray<Outcome>, over: Partial<Job> = {}) => ({
  id: "probe",
  purpose: "sampling" as const,
  job: { ...job, ...over },
  startedAt: 0,
  finishedAt: 0,
  timings: { open: 1, firstByte: 1, total: 1 },
  requests: 1,
  bytes: 0,
  outcomes,
  recovered: 0,
  findings: []
})

const everything = Array.from({ length: job.count }, (_, index) => job.startSlot + index).flatMap((slot) =>
  job.columns.map((column) => outcomeAt(slot, column))
)

describe("what the second identity asks", () => {
  it("is a part of what the first asked, of the same shape and in its bounds, wherever it is drawn", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.integer({ min: 1, max: 32 }),
        FastCheck.integer({ min: 1, max: 10 }),
        FastCheck.infiniteStream(FastCheck.double({ min: 0, max: 0.999999, noNaN: true })),
        (count, width, numbers) => {
          const columns = job.columns.slice(0, width)
          const outcomes = everything.filter(({ column, slot }) => slot < 100 + count && columns.includes(column))
          const draw = (below: number) => Math.floor((numbers.next().value ?? 0) * below)
          const subject = subjectOf(probeOf(outcomes, { count, columns }), draw)
          assert.isDefined(subject)
          const part = subject?.job ?? job
          assert.isAtLeast(part.startSlot, 100)
          assert.isAtMost(part.startSlot + part.count, 100 + count)
          assert.strictEqual(part.count, Math.min(4, count))
          assert.lengthOf(part.columns, Math.min(8, width))
          assert.includeMembers(columns, [...part.columns])
          assert.lengthOf(subject?.held ?? [], part.count * part.columns.length)
        }
      )
    )
  })

  it("is around what the first identity lacks, where that is proven, and nothing where nothing is", () => {
    const lacks = everything.map((one) =>
      one.slot === 120 && one.column === 77 ? { ...one, outcome: "missing" as const } : one
    )
    const subject = subjectOf(probeOf(lacks), () => 0)
    assert.deepStrictEqual(
      subject?.held.filter(({ has }) => !has).map(({ column, slot }) => [slot, column]),
      [[120, 77]]
    )
    const unproven = (
      [
        { outcome: "timeout" },
        { outcome: "suspected", suspicion: "missing" },
        { outcome: "unavailable" },
        { outcome: "invalid", check: "header" }
      ] as const
    ).map((over, index) => outcomeAt(100, job.columns[index] ?? 1, over))
    assert.isUndefined(subjectOf(probeOf(unproven), () => 0))
    const wrong = [outcomeAt(100, 1, { outcome: "invalid", check: "kzg_proof" })]
    assert.deepStrictEqual(
      subjectOf(probeOf(wrong), () => 0)?.held.map(({ has }) => has),
      [false]
    )
  })
})

describe("what two identities were given", () => {
  const held = (column: number, has: boolean, blockRoot = "0xaa"): Held => ({ slot: 1, column, blockRoot, has })

  it("contradicts itself only in the same column of the same block", () => {
    const first = [held(1, true), held(2, true), held(3, false), held(4, true)]
    const second = [held(1, false), held(2, true), held(3, true), held(4, false, "0xbb"), held(5, false)]
    assert.deepStrictEqual(contradicted(first, second), [held(1, true), held(3, false)])
    assert.deepStrictEqual(repeated(first, second), [held(2, true)])
  })

  it("lacks what is left out when it is asked for once more, and nothing that was refused", () => {
    const outcomes = [
      outcomeAt(1, 1),
      outcomeAt(1, 2, { outcome: "suspected", suspicion: "missing" }),
      outcomeAt(1, 3, { outcome: "suspected", suspicion: "server_error" }),
      outcomeAt(1, 4, { outcome: "refused" })
    ]
    assert.deepStrictEqual(
      heldAgain({ outcomes }).map(({ column, has }) => [column, has]),
      [
        [1, true],
        [2, false]
      ]
    )
  })
})
