import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { cover, emptyChunk, encodeChunk } from "../../../src/history/store/CoverageChunk.ts"
import { History } from "../../../src/history/store/History.ts"
import { init } from "../../../src/history/store/sqlite/Migration0001.ts"
import { applicationId } from "../../../src/history/store/sqlite/Migrations.ts"
import { layer } from "../../../src/history/store/SqliteHistory.ts"
import { connect, keepAll, network, outcome, probe, rows, temporaryFolder, testedSlots } from "./Fixture.ts"

const day = 19_700

/** A database as the first version of the program left it. */
const writeFirstVersion = (path: string) =>
  Effect.scoped(
    Effect.gen(function* () {
      const sql = yield* connect(path, false)
      yield* sql.unsafe("PRAGMA auto_vacuum = INCREMENTAL")
      yield* sql.unsafe(`PRAGMA application_id = ${applicationId}`)
      for (const statement of init) yield* sql.unsafe(statement)
      yield* sql.unsafe(
        `CREATE TABLE effect_sql_migrations (migration_id INTEGER PRIMARY KEY NOT NULL,
          created_at DATETIME NOT NULL DEFAULT current_timestamp, name VARCHAR(255) NOT NULL)`
      )
      yield* sql`INSERT INTO effect_sql_migrations (migration_id, name) VALUES (1, 'init')`
      yield* sql`INSERT INTO network VALUES (1, 'hoodi', ${network.genesisTime}, ${`0x${"01".repeat(32)}`})`
      yield* sql`INSERT INTO peers (id, peer_id, agent) VALUES (1, 'a', 'Lighthouse/v8'), (2, 'b', NULL)`
      yield* sql`INSERT INTO claims (peer, observed_at, custody_group_count, source, columns, head_slot, fork_digest)
        VALUES (1, 1, 4, 'enr', x'00', 1, ''), (1, 2, 8, 'enr', x'00', 1, '')`
      for (const peer of [1, 2]) {
        for (const number of [0, 1, 93_750]) {
          const chunk = emptyChunk()
          cover(chunk, number * 128 + peer, [peer], true, 1_700_000_000_000 + number)
          yield* sql`INSERT INTO coverage (id, chunk) VALUES (${peer * 2 ** 24 + number}, ${encodeChunk(chunk)})`
        }
        for (const n of [0, 1]) {
          yield* sql`INSERT INTO probes (uuid, peer, conversation, start_slot, count, columns, started_at, finished_at,
            total_ms, requests, bytes, outcomes, success, missing) VALUES (${`${peer}-${n}`}, ${peer}, 'answered', 1, 1,
            ${new Uint8Array(16)}, 0, ${(day + n) * 86_400_000 + 5}, 1, 1, 10, ${new Uint8Array(16)}, ${peer}, 3)`
        }
      }
    })
  )

describe("a database of the first version", () => {
  it.scoped("opens, keeps its coverage and probes, and has the sums of its peers", () =>
    Effect.gen(function* () {
      const path = join(yield* temporaryFolder, "history.db")
      yield* writeFirstVersion(path)
      for (const _ of [1, 2]) {
        yield* Effect.gen(function* () {
          const history = yield* History
          for (const [peer, column] of [
            ["a", 1],
            ["b", 2]
          ] as const) {
            assert.deepStrictEqual(
              testedSlots(yield* history.coverage(peer, 0)),
              [0, 1, 93_750].map((number) => ({
                slot: number * 128 + column,
                succeeded: [column],
                failed: [],
                testedAt: 1_700_000_000_000 + number
              }))
            )
          }
          assert.isTrue(Option.isSome(yield* history.probe("2-1")))
        }).pipe(Effect.provide(layer({ path, network, retention: keepAll })))
      }
      assert.deepStrictEqual(
        yield* rows(
          path,
          `SELECT sums.day, peer, agents.agent, custody_group_count AS count, probes, bytes, success, missing
          FROM sums JOIN agents ON agents.id = sums.agent ORDER BY sums.day, peer`
        ),
        [0, 1].flatMap((n) => [
          { day: day + n, peer: 1, agent: "Lighthouse/v8", count: 8, probes: 1, bytes: 10, success: 1, missing: 3 },
          { day: day + n, peer: 2, agent: "", count: 0, probes: 1, bytes: 10, success: 2, missing: 3 }
        ])
      )
      assert.deepStrictEqual(yield* rows(path, "SELECT slot_duration_ms FROM network"), [{ slot_duration_ms: 12_000 }])
      yield* Effect.provide(
        Effect.flatMap(History, (history) =>
          history.recordProbe(probe("p", "a", [outcome(128, 1, "success")]), "answered")
        ),
        layer({ path, network, retention: keepAll })
      )
    })
  )
})
