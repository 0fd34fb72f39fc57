import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { cover, emptyChunk, encodeChunk } from "../../../src/history/store/CoverageChunk.ts"
import { noEvasion } from "../../../src/domain/peer/Evasion.ts"
import { unrestrained } from "../../../src/domain/peer/Restraint.ts"
import { neutralScore } from "../../../src/domain/peer/Score.ts"
import { noOutcomes } from "../../../src/domain/probe/Outcome.ts"
import { Reports } from "../../../src/history/report/Reports.ts"
import { layer as reportsLayer } from "../../../src/history/report/ReportsInline.ts"
import { History, noStanding } from "../../../src/history/store/History.ts"
import { init } from "../../../src/history/store/sqlite/migrations/Migration0001.ts"
import { sums } from "../../../src/history/store/sqlite/migrations/Migration0002.ts"
import { reports } from "../../../src/history/store/sqlite/migrations/Migration0003.ts"
import { suspicions } from "../../../src/history/store/sqlite/migrations/Migration0004.ts"
import { applicationId } from "../../../src/history/store/sqlite/migrations/Migrations.ts"
import { layer } from "../../../src/history/store/SqliteHistory.ts"
import {
  claim,
  connect,
  keepAll,
  network,
  outcome,
  probe,
  rootOf,
  rows,
  temporaryFolder,
  testedSlots
} from "./Fixture.ts"

const day = 19_700

/** A database of an older schema, without anything in it. */
const writeSchema = (
  path: string,
  migrations: ReadonlyArray<readonly [name: string, statements: ReadonlyArray<string>]>
) =>
  Effect.gen(function* () {
    const sql = yield* connect(path, false)
    yield* sql.unsafe("PRAGMA auto_vacuum = INCREMENTAL")
    yield* sql.unsafe(`PRAGMA application_id = ${applicationId}`)
    yield* sql.unsafe(
      `CREATE TABLE effect_sql_migrations (migration_id INTEGER PRIMARY KEY NOT NULL,
        created_at DATETIME NOT NULL DEFAULT current_timestamp, name VARCHAR(255) NOT NULL)`
    )
    for (const [index, [name, statements]] of migrations.entries()) {
      for (const statement of statements) yield* sql.unsafe(statement)
      yield* sql`INSERT INTO effect_sql_migrations (migration_id, name) VALUES (${index + 1}, ${name})`
    }
    yield* sql`INSERT INTO network (id, name, genesis_time, genesis_validators_root)
      VALUES (1, 'hoodi', ${network.genesisTime}, ${`0x${"01".repeat(32)}`})`
    return sql
  })

/** A database as the first version of the program left it. */
const writeFirstVersion = (path: string) =>
  Effect.scoped(
    Effect.gen(function* () {
      const sql = yield* writeSchema(path, [["init", init]])
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

const finishedAt = (n: number): number => (day + n) * 86_400_000 + 5

/** A database as the last version without suspicions left it: three probes of two peers. */
const writeThirdVersion = (path: string) =>
  Effect.scoped(
    Effect.gen(function* () {
      const sql = yield* writeSchema(path, [
        ["init", init],
        ["sums", sums],
        ["reports", reports]
      ])
      yield* sql`INSERT INTO peers (id, peer_id, agent, probes, success, missing, timeout, recorded_at)
        VALUES (1, 'a', 'Lighthouse/v8', 2, 1, 1, 0, ${finishedAt(1)}), (2, 'b', NULL, 1, 0, 0, 1, ${finishedAt(1)})`
      yield* sql`INSERT INTO blocks VALUES (1, 300, ${rootOf(300)}, 3)`
      yield* sql`INSERT INTO agents VALUES (1, 'Lighthouse/v8', ${day + 1}), (2, '', ${day})`
      for (const [n, peer, kind, bits] of [
        [0, 1, "missing", 2],
        [1, 1, "success", 0],
        [1, 2, "timeout", 32]
      ] as const) {
        // Column 1 of slot 300, at block 1; the kinds that occur, and the mask of the only one.
        const sections = Uint8Array.of(2, ...new Uint8Array(15), 0xac, 2, 1, bits, ...(bits === 0 ? [] : [1]))
        yield* sql`INSERT INTO probes ${sql.insert({
          uuid: `${peer}-${n}`,
          peer,
          conversation: "answered",
          start_slot: 300,
          count: 1,
          columns: Uint8Array.of(2, ...new Uint8Array(15)),
          started_at: finishedAt(n) - 5,
          finished_at: finishedAt(n),
          total_ms: 5,
          requests: 1,
          bytes: 10,
          outcomes: sections,
          [kind]: 1
        })}`
        yield* sql`INSERT INTO sums ${sql.insert({ day: day + n, peer, agent: peer, custody_group_count: 4, probes: 1, bytes: 10, [kind]: 1 })}`
      }
      yield* sql`INSERT INTO failures (probe, outcome, reason) VALUES (1, 'missing', 'left out twice')`
      const chunk = emptyChunk()
      cover(chunk, 300, [1], false, finishedAt(0))
      yield* sql`INSERT INTO coverage (id, chunk) VALUES (${2 * 2 ** 24 + 1}, ${encodeChunk(chunk)})`
    })
  )

describe("a database of the version before suspicions", () => {
  it.scoped("opens with everything that it held, and takes suspicions", () =>
    Effect.gen(function* () {
      const path = join(yield* temporaryFolder, "history.db")
      yield* writeThirdVersion(path)
      yield* Effect.gen(function* () {
        const history = yield* History
        const a = yield* history.peer("a")
        assert.deepStrictEqual(a.outcomes, { ...noOutcomes, success: 1, missing: 1 })
        assert.deepStrictEqual(a.blamedAt, Option.some(finishedAt(0)))
        assert.deepStrictEqual(a.standing, noStanding)
        assert.strictEqual(a.recovered, 0)
        assert.deepStrictEqual((yield* history.peer("b")).blamedAt, Option.none())
        assert.deepStrictEqual(yield* history.failing("a", 0), [{ slot: 300, columns: [1], at: finishedAt(0) }])
        const old = Option.getOrThrow(yield* history.probe("1-0"))
        assert.strictEqual(old.purpose, "sampling")
        assert.strictEqual(old.recovered, 0)
        assert.deepStrictEqual(old.outcomes, [outcome(300, 1, "missing", "left out twice")])
        assert.deepStrictEqual(
          Option.map(yield* history.probe("2-1"), ({ outcomes }) => outcomes),
          Option.some([outcome(300, 1, "timeout")])
        )
        yield* history.recordProbe(
          probe("p", "a", [outcome(300, 1, "success"), outcome(301, 1, "suspected", "left out")], {
            recovered: 1,
            startedAt: finishedAt(1),
            finishedAt: finishedAt(1) + 1
          }),
          "answered"
        )
        yield* history.flush
        assert.deepStrictEqual((yield* history.peer("a")).outcomes, {
          ...noOutcomes,
          success: 2,
          missing: 1,
          suspected: 1
        })
        assert.deepStrictEqual(yield* history.failing("a", 0), [])
      }).pipe(Effect.provide(layer({ path, network, retention: keepAll })))
      yield* Effect.gen(function* () {
        const reports = yield* Reports
        const { rows } = yield* reports.compliance({ by: "client" })
        assert.deepStrictEqual(
          rows.map(({ group, outcomes, probes }) => ({ group, outcomes, probes })),
          [
            { group: "lighthouse", outcomes: { ...noOutcomes, success: 2, missing: 1, suspected: 1 }, probes: 3 },
            { group: "unknown", outcomes: { ...noOutcomes, timeout: 1 }, probes: 1 }
          ]
        )
        const found = yield* reports.probes({ outcome: "suspected" })
        assert.deepStrictEqual(
          found.probes.map(({ id }) => id),
          ["p"]
        )
        assert.lengthOf(yield* reports.failures({ peerId: "a" }), 2)
      }).pipe(Effect.provide(reportsLayer({ path })))
    })
  )
})

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

  it.scoped("keeps few of the claims of a peer that changed them all day, and counts them", () =>
    Effect.gen(function* () {
      const path = join(yield* temporaryFolder, "history.db")
      const claims = Array.from({ length: 60 }, (_, n) =>
        claim({ custodyGroupCount: n === 20 ? 4 : 8 + (n % 2), observedAt: day * 86_400_000 + n * 10_000 })
      )
      const { claims: kept } = yield* Effect.scoped(
        Effect.gen(function* () {
          const sql = yield* writeSchema(path, [
            ["init", init],
            ["sums", sums],
            ["reports", reports],
            ["suspicions", suspicions]
          ])
          yield* sql`INSERT INTO peers (id, peer_id, recorded_at) VALUES (1, 'a', 0), (2, 'b', 0)`
          for (const { custodyGroupCount, observedAt } of claims) {
            yield* sql`INSERT INTO claims
              (peer, observed_at, custody_group_count, source, columns, earliest_available_slot, head_slot, fork_digest)
              VALUES (1, ${observedAt}, ${custodyGroupCount}, 'metadata', x'00', 64, 1, '')`
          }
          yield* sql`INSERT INTO claims (peer, observed_at, custody_group_count, source, columns, head_slot, fork_digest)
            VALUES (2, 1, 4, 'enr', x'00', 1, ''), (2, 2, 8, 'enr', x'00', 1, '')`
          return { claims: [...claims.slice(0, 8), claims[20], ...claims.slice(-15)] }
        })
      )
      yield* Effect.provide(
        Effect.gen(function* () {
          const history = yield* History
          assert.deepStrictEqual(
            (yield* history.claims("a")).map(({ observedAt }) => observedAt),
            kept.map((claim) => claim?.observedAt)
          )
          assert.lengthOf(yield* history.claims("b"), 2)
        }),
        layer({ path, network, retention: keepAll })
      )
      assert.deepStrictEqual(yield* rows(path, "SELECT claim_changes FROM peers ORDER BY id"), [
        { claim_changes: 60 },
        { claim_changes: 2 }
      ])
    })
  )
})

describe("a database of the version before restraints", () => {
  it.scoped("opens with the standings that it held, and takes restraints", () =>
    Effect.gen(function* () {
      const path = join(yield* temporaryFolder, "history.db")
      const evasion = { ...noEvasion, asked: 3, escaped: 2 }
      yield* Effect.scoped(
        Effect.gen(function* () {
          const sql = yield* writeSchema(path, [
            ["init", init],
            ["sums", sums],
            ["reports", reports],
            ["suspicions", suspicions]
          ])
          yield* sql`INSERT INTO peers (id, peer_id, recorded_at) VALUES (1, 'a', ${finishedAt(1)})`
          yield* sql`INSERT INTO standings VALUES (1, '[]', ${JSON.stringify(evasion)})`
        })
      )
      yield* Effect.gen(function* () {
        const history = yield* History
        const { standing } = yield* history.peer("a")
        assert.deepStrictEqual(standing, { suspicions: [], evasion, restraint: unrestrained, score: neutralScore })
        const restraint = { level: 4, at: finishedAt(1) }
        yield* history.recordStanding("a", { ...standing, restraint })
        yield* history.flush
        assert.deepStrictEqual((yield* history.peer("a")).standing, { ...standing, restraint })
      }).pipe(Effect.provide(layer({ path, network, retention: keepAll })))
    })
  )
})
