import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Either, FastCheck as fc } from "effect"
import { exitCodeFor, parseFailOn } from "../../../src/cli/scan/ExitCode.ts"
import { ScanReport } from "../../../src/domain/scan/ScanReport.ts"

const [report] = fc.sample(Arbitrary.make(ScanReport), { numRuns: 1, seed: 1 })
const found = (verdict: ScanReport["verdict"], reached = true): ScanReport => {
  if (report === undefined) throw new Error("nothing drawn")
  return { ...report, verdict, reached }
}

describe("the exit code of a scan", () => {
  it("is 1 for a verdict that is named, 3 where a target was not reached, else 0", () => {
    const well = found("compliant")
    const bad = found("violating")
    const away = found("unreachable", false)
    assert.strictEqual(exitCodeFor([well, well], ["violating"]), 0)
    assert.strictEqual(exitCodeFor([well, bad], ["violating", "evasive"]), 1)
    assert.strictEqual(exitCodeFor([well, bad], ["evasive"]), 0)
    assert.strictEqual(exitCodeFor([well, away], ["violating"]), 3)
    assert.strictEqual(exitCodeFor([away, bad], ["violating"]), 1)
    assert.strictEqual(exitCodeFor([away], ["unreachable"]), 1)
  })

  it("goes by names that there are", () => {
    assert.deepStrictEqual(parseFailOn("violating, suspected"), Either.right(["violating", "suspected"] as const))
    assert.deepStrictEqual(parseFailOn("none"), Either.right([]))
    const wrong = parseFailOn("violating,bad")
    assert.match(
      Either.isLeft(wrong) ? wrong.left : "",
      /no verdict "bad"; allowed are none, or of compliant, violating/
    )
  })
})
