import type { Connection } from "@effect/sql/SqlConnection"
import { Effect } from "effect"
import type { Sums } from "./Sums.ts"
import { inOrder, upsertAgeSum, upsertColumnSum, upsertSum } from "./WriteStatements.ts"

/** Adds to the sums on disk; `yieldIfDue` is run between rows. */
export const writeSums = Effect.fnUntraced(function* (
  connection: Connection,
  { ages, columns, peers }: Sums,
  yieldIfDue: Effect.Effect<void>
) {
  for (const { agent, bytes, custodyGroupCount, day, outcomes, peer, probes } of peers.values()) {
    yield* yieldIfDue
    yield* upsertSum(connection, [day, peer, agent, custodyGroupCount, probes, bytes, ...inOrder(outcomes)])
  }
  for (const [sums, upsert] of [[columns, upsertColumnSum] as const, [ages, upsertAgeSum] as const]) {
    for (const { day, of, outcomes } of sums.values()) {
      yield* yieldIfDue
      yield* upsert(connection, [day, of, ...inOrder(outcomes)])
    }
  }
})
