import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { History } from "../../../src/history/store/History.ts"
import { layer } from "../../../src/history/store/SqliteHistory.ts"
import { claim, keepAll, network, outcome, probe, rows, temporaryFolder } from "./Fixture.ts"

const dayMs = 86_400_000
const day = 19_675
const slotOfDay = (n: number): number => Math.ceil((n * dayMs - network.genesisTime * 1000) / network.slotDurationMs)

describe("sums", () => {
  it.scoped("are kept by day, by what the peer was, by column and by age of the slot", () =>
    Effect.gen(function* () {
      const path = join(yield* temporaryFolder, "history.db")
      const at = (n: number) => ({ startedAt: n * dayMs, finishedAt: n * dayMs + 1000 })
      yield* Effect.gen(function* () {
        const history = yield* History
        const young = slotOfDay(day) - 1
        const old = slotOfDay(day - 2)
        yield* history.recordProbe(probe("p1", "a", [outcome(young, 3, "success")], at(day)), "answered")
        yield* history.recordPeer("a", { agent: Option.some("Lodestar/v1"), address: Option.none(), at: 1 })
        yield* history.recordClaim("a", claim({ custodyGroupCount: 4 }))
        const mixed = [outcome(old, 3, "success"), outcome(young, 3, "success"), outcome(young, 9, "missing", "gone")]
        yield* history.recordProbe(probe("p2", "a", mixed, at(day)), "answered")
        yield* history.flush
        yield* history.recordClaim("a", claim({ custodyGroupCount: 8 }))
        yield* history.recordProbe(probe("p3", "a", [outcome(young, 3, "timeout", "slow")], at(day)), "unanswered", {
          owed: 100,
          tested: 7,
          failed: 1
        })
        yield* history.recordProbe(probe("p4", "a", [outcome(young, 3, "success")], at(day + 1)), "answered")
        yield* history.recordProbe(probe("p4", "a", [outcome(young, 3, "success")], at(day + 1)), "answered")
        yield* history.recordProbe(probe("p5", "b", [outcome(young + 9, 3, "success")], at(day)), "answered")
      }).pipe(Effect.provide(layer({ path, network, retention: keepAll })))
      const bytes = 12_345
      assert.deepStrictEqual(
        yield* rows(
          path,
          `SELECT sums.day - ${day} AS day, peer_id AS peer, agents.agent, custody_group_count AS count, sums.probes, bytes,
            sums.success, sums.missing, sums.timeout
          FROM sums JOIN agents ON agents.id = sums.agent JOIN peers ON peers.id = sums.peer ORDER BY 1, 2, 4`
        ),
        [
          { day: 0, peer: "a", agent: "", count: 0, probes: 1, bytes, success: 1, missing: 0, timeout: 0 },
          { day: 0, peer: "a", agent: "Lodestar/v1", count: 4, probes: 1, bytes, success: 2, missing: 1, timeout: 0 },
          { day: 0, peer: "a", agent: "Lodestar/v1", count: 8, probes: 1, bytes, success: 0, missing: 0, timeout: 1 },
          { day: 0, peer: "b", agent: "", count: 0, probes: 1, bytes, success: 1, missing: 0, timeout: 0 },
          { day: 1, peer: "a", agent: "Lodestar/v1", count: 8, probes: 1, bytes, success: 1, missing: 0, timeout: 0 }
        ]
      )
      assert.deepStrictEqual(
        yield* rows(
          path,
          `SELECT day - ${day} AS day, "column", success, missing, timeout FROM column_sums ORDER BY 1, 2`
        ),
        [
          { day: 0, column: 3, success: 4, missing: 0, timeout: 1 },
          { day: 0, column: 9, success: 0, missing: 1, timeout: 0 },
          { day: 1, column: 3, success: 1, missing: 0, timeout: 0 }
        ]
      )
      assert.deepStrictEqual(
        yield* rows(path, `SELECT day - ${day} AS day, age, success, missing, timeout FROM age_sums ORDER BY 1, 2`),
        [
          { day: 0, age: 0, success: 3, missing: 1, timeout: 1 },
          { day: 0, age: 1, success: 1, missing: 0, timeout: 0 },
          { day: 1, age: 1, success: 1, missing: 0, timeout: 0 }
        ]
      )
      assert.deepStrictEqual(
        yield* rows(path, "SELECT owed, tested, failed, coverage_at FROM peers ORDER BY peer_id"),
        [
          { owed: 100, tested: 7, failed: 1, coverage_at: day * dayMs + 1000 },
          { owed: null, tested: null, failed: null, coverage_at: null }
        ]
      )
      assert.deepStrictEqual(yield* rows(path, "SELECT agent, day FROM agents ORDER BY agent"), [
        { agent: "", day },
        { agent: "Lodestar/v1", day: day + 1 }
      ])
    })
  )
})
