import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, FastCheck as fc } from "effect"
import { ScanReport } from "../../../src/domain/scan/ScanReport.ts"
import { scanSummary, scanTable } from "../../../src/cli/scan/ScanTable.ts"

const mod = (number: number, by: number): number => ((number % by) + by) % by

/** Anything that the schema allows, but for slots and columns that no chain has. */
const reports = Arbitrary.make(ScanReport).map((report): ScanReport => ({
  ...report,
  slots: report.slots.map((slot) => mod(slot, 1e9)),
  columns: report.columns.map((column) => mod(column, 128)),
  cells: report.cells.map((cell) => ({ ...cell, blobs: mod(cell.blobs, 100) }))
}))

/** A peer with these columns, of which every third did not come. */
const reportOf = (columns: ReadonlyArray<number>): ScanReport => {
  const [report] = fc.sample(reports, { numRuns: 1, seed: 1 })
  if (report === undefined) throw new Error("nothing drawn")
  const slots = [12_345_678, 12_345_700]
  return {
    ...report,
    slots,
    columns,
    checks: [],
    notes: [],
    passedOver: [],
    cells: slots.flatMap((slot) =>
      columns.map((column, index) => ({
        slot,
        column,
        outcome: index % 3 === 2 ? ("missing" as const) : ("success" as const),
        blockRoot: "0x00",
        blobs: 6,
        owed: true
      }))
    )
  }
}

describe("the table of a report", () => {
  it.prop("is never wider than 80 characters, whatever strangers say", [reports], ([report]) => {
    for (const line of scanTable(report)) assert.isAtMost([...line].length, 80, line)
  })

  it("has a place for each slot and column, under the column's number", () => {
    const lines = scanTable(reportOf([3, 45, 120]))
    const at = lines.findIndex((line) => line.includes("blobs"))
    assert.deepStrictEqual(lines.slice(at, at + 5), [
      "     slot blobs   3  45 120",
      " 12345678     6   ✓   ✓   ✗",
      " 12345700     6   ✓   ✓   ✗",
      "",
      "✓ came and verifies; ✗ missing"
    ])
  })

  it("of all 128 columns is dense, in two blocks", () => {
    const lines = scanTable(reportOf(Array.from({ length: 128 }, (_, column) => column)))
    const heads = lines.filter((line) => line.startsWith("     slot "))
    assert.deepStrictEqual(heads, [
      "     slot 0                16               32               48",
      "     slot 64               80               96               112"
    ])
    const marks = lines.filter((line) => line.startsWith(" 12345678 ")).join("")
    assert.strictEqual(marks.replaceAll(/[^✓✗]/g, "").length, 128)
  })

  it("is summed up by verdict", () => {
    const [one, two, three] = fc.sample(reports, { numRuns: 3, seed: 2 })
    if (one === undefined || two === undefined || three === undefined) throw new Error("nothing drawn")
    assert.strictEqual(
      scanSummary([
        { ...one, verdict: "compliant" },
        { ...two, verdict: "violating" },
        { ...three, verdict: "compliant" }
      ]),
      "3 scanned: 2 compliant, 1 violating"
    )
  })
})
