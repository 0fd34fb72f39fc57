import { existsSync, readFileSync } from "node:fs"
import { rm, truncate, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Exit, Fiber, Layer } from "effect"
import { History } from "../../../src/history/store/History.ts"
import { type ReportError, Reports } from "../../../src/history/report/Reports.ts"
import * as ReportsInline from "../../../src/history/report/ReportsInline.ts"
import * as ReportsWorker from "../../../src/history/report/ReportsWorker.ts"
import { layer as layerSqlite } from "../../../src/history/store/SqliteHistory.ts"
import { eventually } from "../../Eventually.ts"
import { shared } from "../../Shared.ts"
import { connect, temporaryFolder } from "../store/Fixture.ts"
import { counts, day, network, record, reportsContract } from "./ReportsContract.ts"

const entry = new URL("../../../dist/history/report/ReportWorker.js", import.meta.url)

type MakeLayer = (path: string) => Layer.Layer<Reports, ReportError>

const layers: ReadonlyArray<readonly [string, MakeLayer]> = [
  ["inline", (path) => ReportsInline.layer({ path })],
  ["in a worker thread", (path) => ReportsWorker.layer({ path, entry })]
]

/** A history with the above in it, still open for writing. */
const recorded = Effect.gen(function* () {
  const path = join(yield* temporaryFolder, "history.db")
  yield* record.pipe(Effect.provide(layerSqlite({ path, network })))
  return path
})

for (const [where, layer] of layers) {
  const ask = <A>(path: string, use: (reports: Reports["Type"]) => Effect.Effect<A, ReportError>) =>
    Effect.provide(Effect.flatMap(Reports, use), layer(path))

  const answers = Layer.unwrapScoped(Effect.map(recorded, layer))
  reportsContract(where, answers)
  shared(`reports ${where}`, answers, ({ live }) => {
    const test = (title: string, body: (reports: Reports["Type"]) => Effect.Effect<unknown, ReportError>) =>
      live(title, () => Effect.flatMap(Reports, body))

    test("sum up by client and by version, a peer with the agent that it had", (reports) =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* reports.compliance({ by: "client" }), {
          more: false,
          rows: [
            {
              group: "lighthouse",
              probes: 2,
              peers: 1,
              tested: 5,
              blamed: 0,
              compliance: 1,
              complianceWithSuspicions: 1,
              outcomes: counts({ success: 5, timeout: 1 })
            },
            {
              group: "unknown",
              probes: 1,
              peers: 1,
              tested: 5,
              blamed: 4,
              compliance: 0.2,
              complianceWithSuspicions: 1 / 6,
              outcomes: counts({ success: 1, missing: 3, invalid: 1, suspected: 1 })
            }
          ]
        })
        const versions = yield* reports.compliance({ by: "version", order: "group" })
        assert.deepStrictEqual(
          versions.rows.map(({ group, probes, tested }) => [group, probes, tested]),
          [
            ["lighthouse v8.0.0", 1, 4],
            ["lighthouse v8.0.1", 1, 1],
            ["unknown", 1, 5]
          ]
        )
        const latest = yield* reports.compliance({ by: "version", since: day + 1, until: day + 1 })
        assert.deepStrictEqual(
          latest.rows.map(({ group, peers }) => [group, peers]),
          [["lighthouse v8.0.1", 1]]
        )
      }))

    test("name the worst peers, and what is untested", (reports) =>
      Effect.gen(function* () {
        assert.deepStrictEqual((yield* reports.worst({})).rows, [], "fewer than 20 were tested")
        const worst = (yield* reports.worst({ leastTested: 1, since: day })).rows
        assert.deepStrictEqual(worst, (yield* reports.worst({ leastTested: 1 })).rows)
        assert.deepStrictEqual(
          worst.map(({ blamed, blamedFraction, lastFailure, peerId, tested }) => [
            peerId,
            tested,
            blamed,
            blamedFraction,
            lastFailure
          ]),
          [["b", 5, 4, 0.8, "column 5 is missing"]]
        )
        assert.isAbove(worst[0]?.withheld?.low ?? 0, 0.08)
        assert.deepStrictEqual(
          (yield* reports.untested({ limit: 1 })).rows.map(({ peerId, untested }) => [peerId, untested]),
          [["a", 95]]
        )
        assert.strictEqual((yield* reports.extent).network, "hoodi")
      }))
  })

  describe(`reports ${where}`, () => {
    it.scoped("see what is written meanwhile, and let the writer tidy up", () =>
      Effect.gen(function* () {
        const path = join(yield* temporaryFolder, "history.db")
        yield* Effect.gen(function* () {
          const history = yield* History
          const reports = yield* Reports
          assert.strictEqual((yield* reports.extent).probes, 0)
          yield* record
          assert.strictEqual((yield* reports.extent).probes, 3)
          // A reader that holds on to a moment would make this busy: 1 instead of 0.
          const other = yield* connect(path, false)
          const [checkpoint] = yield* other.unsafe("PRAGMA wal_checkpoint(TRUNCATE)")
          assert.deepStrictEqual(checkpoint, { busy: 0, log: 0, checkpointed: 0 })
          yield* history.flush
        }).pipe(Effect.provide([layerSqlite({ path, network }), layer(path)]))
      })
    )

    it.scoped("say so while there is no file, and answer once there is", () =>
      Effect.gen(function* () {
        const path = join(yield* temporaryFolder, "history.db")
        yield* ask(path, (reports) =>
          Effect.gen(function* () {
            const error = yield* Effect.orDie(Effect.flip(reports.extent))
            assert.strictEqual(error.fault, "unreadable")
            assert.include(error.message, `${path}: there is no such file`)
            yield* Effect.orDie(record.pipe(Effect.provide(layerSqlite({ path, network }))))
            assert.strictEqual((yield* reports.extent).probes, 3)
          })
        )
      })
    )
  })
}

describe("reports on a history that forgets", () => {
  it.scoped("are of what is left of it", () =>
    Effect.gen(function* () {
      const path = yield* recorded
      const reports = Context.get(yield* Layer.build(ReportsInline.layer({ path })), Reports)
      const writer = yield* connect(path, false)
      const groups = Effect.map(reports.compliance({ by: "version" }), ({ rows }) =>
        rows.map(({ group, peers, tested }) => [group, peers, tested])
      )
      const custody = Effect.map(reports.compliance({ by: "custody" }), ({ rows }) =>
        rows.map(({ group, peers, probes }) => [group, peers, probes])
      )
      yield* writer`DELETE FROM sums WHERE day < ${day + 1}`
      assert.deepStrictEqual(yield* groups, [
        ["unknown", 1, 5],
        ["lighthouse v8.0.1", 1, 1]
      ])
      assert.deepStrictEqual(yield* custody, [
        [0, 1, 1],
        [128, 1, 1]
      ])
      yield* writer`DELETE FROM sums`
      assert.deepStrictEqual([yield* groups, yield* custody], [[], []])
      assert.deepStrictEqual(yield* writer`SELECT * FROM peer_agents`, [])
    })
  )
})

describe("reports on what is no history", () => {
  it.scoped("say what it is", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const path = join(folder, "some.db")
      const says = (path: string, text: string) =>
        Effect.gen(function* () {
          const reports = yield* Reports
          const error = yield* Effect.orDie(Effect.flip(reports.extent))
          assert.include(error.message, `${path}: ${text}`)
          assert.strictEqual(error.fault, "unreadable")
        }).pipe(Effect.provide(ReportsInline.layer({ path })))
      yield* says(folder, "it is not a file")
      yield* Effect.promise(() => writeFile(path, "peers:\n  - enr\n".repeat(1000)))
      yield* says(path, "it is not a database")
      yield* Effect.promise(() => rm(path))
      yield* Effect.scoped(Effect.flatMap(connect(path, false), (sql) => sql`CREATE TABLE bookmarks (url TEXT)`))
      yield* says(path, "it is not a history of dasmon")
      const damaged = yield* recorded
      yield* Effect.promise(() => truncate(damaged, 8192))
      yield* says(damaged, "it is damaged")
      const other = yield* recorded
      const version = (id: number) =>
        Effect.scoped(
          Effect.flatMap(
            connect(other, false),
            (sql) => sql`UPDATE effect_sql_migrations SET migration_id = ${id}
            WHERE migration_id = (SELECT max(migration_id) FROM effect_sql_migrations)`
          )
        )
      yield* version(99)
      yield* says(other, "its schema has version 99, this program knows up to")
      yield* Effect.scoped(
        Effect.flatMap(connect(other, false), (sql) => sql`DELETE FROM effect_sql_migrations WHERE migration_id > 1`)
      )
      yield* says(other, "its schema has version 1, this program reads")
    })
  )
})

describe("a report thread", () => {
  const script = (code: string) =>
    new URL(`data:text/javascript,${encodeURIComponent(`import { parentPort } from "node:worker_threads"; ${code}`)}`)
  /** A thread that gets ready, and does `onQuestion` when one comes. */
  const thread = (onQuestion: string) =>
    script(
      `parentPort.on("message", ([kind]) => { if (kind === 1) parentPort.close(); else { ${onQuestion} } }); parentPort.postMessage([0])`
    )

  it.scoped("that dies fails its question, and the next one has another", () =>
    Effect.gen(function* () {
      const path = yield* recorded
      const marker = `${path}.died`
      const diesOnce = script(`import { existsSync, writeFileSync } from "node:fs"
        if (existsSync(${JSON.stringify(marker)})) await import(${JSON.stringify(entry.href)})
        else {
          parentPort.on("message", () => { writeFileSync(${JSON.stringify(marker)}, ""); process.exit(3) })
          parentPort.postMessage([0])
        }`)
      yield* Effect.gen(function* () {
        const reports = yield* Reports
        const error = yield* Effect.flip(reports.extent)
        assert.strictEqual(error.fault, "failed")
        assert.strictEqual((yield* reports.extent).probes, 3)
      }).pipe(Effect.provide(ReportsWorker.layer({ path, entry: diesOnce })))
    })
  )

  it.scopedLive("that hangs is given up; only so many wait for it", () =>
    Effect.gen(function* () {
      const options = { path: "unused.db", entry: thread("for (;;);"), answerLimit: "300 millis", waiting: 2 } as const
      yield* Effect.gen(function* () {
        const reports = yield* Reports
        const answers = yield* Effect.all(
          [1, 2, 3].map(() => Effect.exit(reports.extent)),
          { concurrency: "unbounded" }
        )
        const faults = answers.map((exit) =>
          Exit.match(exit, { onSuccess: () => "answered", onFailure: (cause) => String(cause) })
        )
        assert.match(faults[2] ?? "", /2 questions wait already/)
        assert.match(faults[0] ?? "", /no answer within 300ms/)
        assert.match(faults[1] ?? "", /no answer within 300ms/)
      }).pipe(Effect.provide(ReportsWorker.layer(options)))
    })
  )

  it.scoped("makes room for another when it failed to read the file 256 times", () =>
    Effect.gen(function* () {
      const path = join(yield* temporaryFolder, "history.db")
      const log = `${path}.started`
      const logged = script(`import { appendFileSync } from "node:fs"
        appendFileSync(${JSON.stringify(log)}, "x")
        await import(${JSON.stringify(entry.href)})`)
      yield* Effect.gen(function* () {
        const reports = yield* Reports
        for (let n = 0; n < 255; n++) assert.strictEqual((yield* Effect.flip(reports.extent)).fault, "unreadable")
        assert.strictEqual(readFileSync(log, "utf8"), "x")
        for (let n = 0; n < 2; n++) assert.strictEqual((yield* Effect.flip(reports.extent)).fault, "unreadable")
        assert.strictEqual(readFileSync(log, "utf8"), "xx")
      }).pipe(Effect.provide(ReportsWorker.layer({ path, entry: logged })))
    })
  )

  it.scopedLive("is there only while there are questions", () =>
    Effect.gen(function* () {
      const path = yield* recorded
      const log = `${path}.threads`
      const logged = script(`import { appendFileSync } from "node:fs"
        appendFileSync(${JSON.stringify(log)}, "+")
        process.on("exit", () => appendFileSync(${JSON.stringify(log)}, "-"))
        await import(${JSON.stringify(entry.href)})`)
      yield* Effect.gen(function* () {
        const reports = yield* Reports
        yield* Effect.sleep("200 millis")
        assert.isFalse(existsSync(log), "nobody has asked yet")
        assert.strictEqual((yield* reports.extent).probes, 3)
        yield* eventually(() => assert.strictEqual(readFileSync(log, "utf8"), "+-"))
        assert.strictEqual((yield* reports.extent).probes, 3)
        assert.match(readFileSync(log, "utf8"), /^\+-\+/)
      }).pipe(Effect.provide(ReportsWorker.layer({ path, entry: logged, idleLimit: "1 second" })))
    })
  )

  it.scopedLive("is started again by the next question where it could not be started, or was given up meanwhile", () =>
    Effect.gen(function* () {
      const path = yield* recorded
      const log = `${path}.starts`
      const fails = script(`import { appendFileSync, existsSync, readFileSync } from "node:fs"
        const log = ${JSON.stringify(log)}
        const starts = existsSync(log) ? readFileSync(log, "utf8").length : 0
        appendFileSync(log, "+")
        if (starts < 2) process.exit(3)
        await import(${JSON.stringify(entry.href)})`)
      yield* Effect.gen(function* () {
        const reports = yield* Reports
        for (let n = 0; n < 2; n++) assert.include((yield* Effect.flip(reports.extent)).message, "exited with code 3")
        const gone = yield* Effect.fork(reports.extent)
        yield* Effect.sleep("20 millis")
        yield* Fiber.interrupt(gone)
        assert.strictEqual((yield* reports.extent).probes, 3)
        yield* Effect.sleep("500 millis")
        assert.strictEqual((yield* reports.extent).probes, 3)
      }).pipe(Effect.provide(ReportsWorker.layer({ path, entry: fails, idleLimit: "100 millis" })))
    }).pipe(Effect.timeout("20 seconds"))
  )

  it.scoped("is not started when the program is not built", () =>
    Effect.gen(function* () {
      const absent = new URL("./Absent.js", import.meta.url)
      const error = yield* Effect.flip(Effect.provide(Reports, ReportsWorker.layer({ path: "x", entry: absent })))
      assert.include(error.message, "Absent.js: the program is not built")
    })
  )
})
