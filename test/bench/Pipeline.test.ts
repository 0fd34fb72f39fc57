import { assert, describe, it } from "@effect/vitest"
import { cellBatch } from "../../scripts/bench/kzg/CellBatches.ts"
import { allocation } from "../../scripts/bench/pipeline/Allocation.ts"
import type { Look } from "../../scripts/bench/pipeline/LooksMeasured.ts"
import { pipelineTable } from "../../scripts/bench/pipeline/PipelineTable.ts"
import { windowsFrom } from "../../scripts/bench/pipeline/Windows.ts"
import type { Job } from "../../src/domain/probe/Job.ts"
import { fakePool } from "../devnet/FakePool.ts"

const every = Array.from({ length: 128 }, (_, column) => column)
const supernodes = ["a", "b", "c"].map((peerId) => ({ peerId, columns: every }))
const custodians = [
  { peerId: "x", columns: [0, 1, 2, 3, 64, 65, 126, 127] },
  { peerId: "y", columns: [5, 15, 25, 35, 45, 55, 65, 75] }
]

describe("the two looks of the pipeline", () => {
  const looks = windowsFrom(96, 3, supernodes, custodians)
  const combinationsOf = (job: Job) =>
    job.columns.flatMap((column) => Array.from({ length: job.count }, (_, slot) => `${job.startSlot + slot}/${column}`))

  it("are at every combination once, and again from another peer that has it", () => {
    const first = looks.flatMap(({ first }) => combinationsOf(first))
    assert.lengthOf(first, 3 * 8 * 128)
    assert.strictEqual(new Set(first).size, first.length)
    assert.deepStrictEqual(
      looks.flatMap(({ second }) => combinationsOf(second)),
      first
    )
    for (const { first, second } of looks) assert.notStrictEqual(first.peerId, second.peerId)
    const kept = new Map(custodians.map(({ columns, peerId }) => [peerId, columns]))
    for (const { columns, peerId } of looks.flatMap(({ first, second }) => [first, second])) {
      assert.includeMembers([...(kept.get(peerId) ?? every)], [...columns])
      assert.isAtMost(columns.length, 16)
    }
  })

  it("have custodians in both", () => {
    const asked = (which: "first" | "second") => looks.map((look) => look[which].peerId)
    assert.includeMembers(asked("first"), ["x", "a"])
    assert.includeMembers(asked("second"), ["y", "b"])
  })
})

describe("what the pipeline comes to", () => {
  const look = (cells: number, over: Partial<Look> = {}): Look => ({
    columns: cells / 6,
    cells,
    otherwise: {},
    seconds: 2,
    receivedBytes: 1000,
    cpu: { mainMs: 200, verifierMs: 1000, otherMs: 800, processMs: 2000 },
    allocated: { heapBytes: 3000, externalBytes: 1000 },
    delayP99Ms: 5,
    rssMiB: 100,
    ...over
  })

  it("is told against c-kzg alone, by the worse of both scenarios", () => {
    const measured = { supernodes: 2, custodians: 1, first: look(6000), second: look(60_000), peakMiB: 120 }
    const { summary } = pipelineTable([
      { blobs: 6, raw: [9_000, 11_000], measured },
      { blobs: 21, raw: [10_000, 10_000], measured: { ...measured, first: look(5000), peakMiB: 150 } }
    ])
    const { cores, looks, ...told } = JSON.parse(JSON.stringify(summary))
    assert.deepStrictEqual(told, {
      firstLook: 0.5,
      firstLookProcess: 0.25,
      secondLook: 3,
      columnsPerCpuSecond: 5000,
      mainMsPerColumn: 0.02,
      rssMiB: 150
    })
    assert.isAbove(cores, 0)
    assert.lengthOf(looks, 4)
    assert.strictEqual(looks[0].allocatedPerByte, 4)
  })
})

describe("allocation", () => {
  it("counts what is allocated on the heap and outside of it, but for what was freed meanwhile", () => {
    const end = allocation()
    const kept = Array.from({ length: 1_000_000 }, (_, index) => ({ index }))
    const outside = Array.from({ length: 64 }, () => new Uint8Array(2 ** 20))
    const { externalBytes, heapBytes } = end()
    assert.lengthOf(kept, 1_000_000)
    assert.lengthOf(outside, 64)
    // Each object has at least 16 bytes, its place in the list 8. Of garbage that was there before some may go unnoticed.
    assert.isAtLeast(heapBytes, 12_000_000)
    assert.isAtLeast(externalBytes, 48 * 2 ** 20)
  })
})

describe("a call of cells", () => {
  it("has those of each column of each block, up to as many as it should", () => {
    const { cells, commitments, indices, proofs } = cellBatch(fakePool, { blocks: 2, blobs: 3, columns: 4 })
    assert.deepStrictEqual(indices.slice(0, 12), [0, 0, 0, 32, 32, 32, 64, 64, 64, 96, 96, 96])
    assert.deepStrictEqual(
      [cells, commitments, proofs].map(({ length }) => length),
      [24, 24, 24]
    )
    assert.deepStrictEqual(new Set(commitments).size, 6)
    assert.lengthOf(cellBatch(fakePool, { blocks: 2, blobs: 3, columns: 4, cells: 16 }).cells, 16)
  })
})
