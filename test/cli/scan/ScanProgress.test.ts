import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { makeScanProgress } from "../../../src/cli/scan/ScanProgress.ts"

const run = (isTerminal: boolean) =>
  Effect.gen(function* () {
    const screen: Array<string> = []
    const printed: Array<string> = []
    const progress = makeScanProgress({
      total: 2,
      isTerminal,
      print: (text) => Effect.sync(() => void printed.push(text)),
      write: (text) => void screen.push(text)
    })
    yield* progress.step("peer-aaaaaa", { stage: "asking", detail: "slot 7, 1 of 4" })
    yield* progress.step("peer-bbbbbb", { stage: "dialling", detail: "x".repeat(200) })
    yield* progress.step("peer-bbbbbb", { stage: "finished", detail: "compliant" })
    yield* progress.print("a report")
    yield* progress.end
    yield* progress.step("peer-aaaaaa", { stage: "finished", detail: "compliant" })
    return { screen, printed }
  })

describe("the progress of a scan", () => {
  it.effect("is one line on a terminal, which makes way for what is printed, and is gone at the end", () =>
    Effect.gen(function* () {
      const { printed, screen } = yield* run(true)
      assert.strictEqual(screen[0], "\r\u001b[Kscanning 1 of 2  …aaaaaa asking: slot 7, 1 of 4")
      assert.isTrue(screen.every((line) => line.replace("\r\u001b[K", "").length < 80 && !line.includes("\n")))
      assert.deepStrictEqual(printed, ["a report"])
      assert.strictEqual(screen.at(-1), "\r\u001b[K")
    })
  )

  it.effect("is nothing in a pipe", () =>
    Effect.gen(function* () {
      const { printed, screen } = yield* run(false)
      assert.deepStrictEqual([printed, screen], [["a report"], []])
    })
  )
})
