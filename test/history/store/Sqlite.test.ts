import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import Sqlite from "better-sqlite3"
import { Effect, Exit, Fiber, Option, Scope } from "effect"
import { History } from "../../../src/history/store/History.ts"
import { keptStatements } from "../../../src/history/store/sqlite/KeepStatements.ts"
import { openSqlite } from "../../../src/history/store/sqlite/Sqlite.ts"
import { explain } from "../../../src/history/store/sqlite/SqliteFault.ts"
import { Reports } from "../../../src/history/report/Reports.ts"
import * as ReportsInline from "../../../src/history/report/ReportsInline.ts"
import { layer } from "../../../src/history/store/SqliteHistory.ts"
import { claim, keepAll, network, outcome, probe, temporaryFolder } from "./Fixture.ts"

const openTemporary = Effect.flatMap(temporaryFolder, (folder) =>
  openSqlite(join(folder, "some.db"), { readonly: false })
)

/** What nobody but this test holds: let go, it would end the process of the tests on Node 24. */
const foreign: Array<object> = []

describe("an SQLite connection", () => {
  it.scopedLive("prepares a text once, for its transactions too", () =>
    Effect.gen(function* () {
      const sql = yield* openTemporary
      const before = keptStatements()
      yield* sql.unsafe("CREATE TABLE numbers (number)")
      for (let n = 0; n < 3; n++) {
        yield* sql.withTransaction(
          Effect.zipRight(
            sql.unsafe("INSERT INTO numbers VALUES (?)", [n]),
            Effect.exit(sql.withTransaction(Effect.zipRight(sql.unsafe("DELETE FROM numbers"), Effect.fail("no"))))
          )
        )
      }
      assert.deepStrictEqual(yield* sql.unsafe("SELECT number FROM numbers"), [
        { number: 0 },
        { number: 1 },
        { number: 2 }
      ])
      assert.deepStrictEqual(yield* sql.unsafe("SELECT number FROM numbers").values, [[0], [1], [2]])
      assert.deepStrictEqual(yield* sql.unsafe("SELECT number FROM numbers LIMIT 1"), [{ number: 0 }])
      // The table, BEGIN and COMMIT, INSERT and DELETE, a savepoint with its two ends, and two that select.
      const kept = keptStatements() - before
      assert.isAtMost(kept, 10)
      for (let n = 0; n < 5; n++) {
        yield* sql.withTransaction(sql.unsafe("INSERT INTO numbers VALUES (?)", [n]))
        yield* Effect.sleep("60 millis")
      }
      assert.strictEqual(keptStatements() - before, kept)
    })
  )

  it.scopedLive("is held from the start, though nothing is ever asked", () =>
    Effect.gen(function* () {
      const before = keptStatements()
      yield* Effect.scoped(openTemporary)
      assert.strictEqual(keptStatements(), before + 1)
    })
  )

  it.scopedLive("tries a text again that could not be prepared", () =>
    Effect.gen(function* () {
      const sql = yield* openTemporary
      const select = sql.unsafe("SELECT count(*) AS count FROM later")
      assert.include(String((yield* Effect.flip(select)).cause), "no such table")
      yield* sql.unsafe("CREATE TABLE later (number)")
      yield* Effect.sleep("60 millis")
      assert.deepStrictEqual(yield* select, [{ count: 0 }])
    })
  )

  it.scopedLive("holds no statement of another program's database in this process", () =>
    Effect.gen(function* () {
      yield* openTemporary
      const before = keptStatements()
      const other = yield* Effect.acquireRelease(
        Effect.sync(() => new Sqlite(":memory:")),
        (other) => Effect.sync(() => other.close())
      )
      const [one, two] = [other.prepare("SELECT 1"), other.prepare("SELECT 1")]
      foreign.push(other, one, two)
      assert.notStrictEqual(one, two)
      assert.strictEqual(keptStatements(), before)
    })
  )

  it.scopedLive("is one caller's alone while it is reserved", () =>
    Effect.gen(function* () {
      const sql = yield* openTemporary
      const scope = yield* Scope.make()
      yield* Scope.extend(sql.reserve, scope)
      const other = yield* Effect.fork(sql.unsafe("SELECT 1 AS one"))
      const impatient = yield* Effect.fork(Effect.scoped(sql.reserve))
      yield* Effect.sleep("20 millis")
      assert.isNull(other.unsafePoll())
      yield* Fiber.interrupt(impatient)
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(yield* Fiber.join(other), [{ one: 1 }])
    })
  )

  it.scopedLive("says what is wrong with a file that cannot be opened", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const error = yield* Effect.flip(openSqlite(folder, { readonly: false }))
      assert.propertyVal(error.cause, "code", "SQLITE_CANTOPEN")
    })
  )

  it("explains in one line that its driver was built for another Node, or not at all", () => {
    const texts = [
      "The module 'x.node'\nwas compiled against a different Node.js version using\nNODE_MODULE_VERSION 115. This version",
      "Could not locate the bindings file. Tried:\n → /x/build/better_sqlite3.node"
    ]
    for (const text of texts) {
      const { reason } = explain(new Error("history", { cause: new Error(text) }))
      assert.strictEqual(
        reason,
        `the SQLite driver is not built for Node ${process.versions.node}: run npm rebuild better-sqlite3`
      )
    }
  })
})

describe("the history", () => {
  it.scopedLive("has a fixed number of texts: what it did once needs no new statement", () =>
    Effect.gen(function* () {
      const path = join(yield* temporaryFolder, "history.db")
      yield* Effect.gen(function* () {
        const history = yield* History
        const reports = yield* Reports
        const round = (n: number) =>
          Effect.gen(function* () {
            const slots = Array.from({ length: 3 + n }, (_, index) => 1000 * n + index)
            const outcomes = slots.map((slot) => outcome(slot, n, n % 2 === 0 ? "success" : "missing", `no ${slot}`))
            yield* history.recordPeer(`peer${n}`, {
              agent: Option.some(`agent/${n}`),
              address: Option.none(),
              at: 1_700_000_000_000 + n
            })
            yield* history.recordClaim(`peer${n}`, claim({ observedAt: 1_700_000_000_000 + n }))
            yield* history.recordProbe(probe(`p${n}`, `peer${n}`, outcomes), "answered")
            yield* history.recordOrphan(1000 * n, `0x${n}`, 1_700_000_000_000)
            yield* history.flush
            yield* history.peer(`peer${n}`)
            yield* history.coverage(`peer${n}`, n)
            yield* history.blocks(n)
            yield* history.probe(`p${n}`)
            for (const by of ["client", "column", "day"] as const) yield* reports.compliance({ by })
            yield* reports.probes({ peerId: `peer${n}`, limit: 1 + n })
            yield* reports.slot({ slot: 1000 * n })
            yield* reports.extent
          })
        yield* round(1)
        yield* round(2)
        const kept = keptStatements()
        for (let n = 3; n < 8; n++) yield* round(n)
        assert.strictEqual(keptStatements(), kept)
      }).pipe(
        Effect.provide(ReportsInline.layer({ path })),
        Effect.provide(layer({ path, network, retention: keepAll }))
      )
    })
  )
})
