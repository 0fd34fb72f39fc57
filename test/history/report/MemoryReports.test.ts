import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import * as MemoryReports from "../../../src/history/report/MemoryReports.ts"
import { Reports } from "../../../src/history/report/Reports.ts"
import { record, reportsContract } from "./ReportsContract.ts"

reportsContract(
  "in memory",
  Layer.tap(MemoryReports.layer, (context) => Effect.provide(record, context))
)

describe("reports in memory", () => {
  it.effect("say that they have no sums over all peers", () =>
    Effect.gen(function* () {
      const reports = yield* Reports
      const errors = yield* Effect.all([
        Effect.flip(reports.compliance({ by: "client" })),
        Effect.flip(reports.worst({})),
        Effect.flip(reports.untested({}))
      ])
      for (const { fault, message } of errors) {
        assert.deepStrictEqual([fault, message], ["unreadable", "a history in memory is not summed up over all peers"])
      }
    }).pipe(Effect.provide(MemoryReports.layer))
  )
})
