import { spawn } from "node:child_process"
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Schema } from "effect"
import { ArrivalsRow } from "../../src/domain/report/ArrivalQuestion.ts"
import { ComplianceRow, SlotHoldings, WorstRow } from "../../src/domain/report/Question.ts"
import { History } from "../../src/history/store/History.ts"
import { layer as layerSqlite } from "../../src/history/store/SqliteHistory.ts"
import { start } from "../e2e/Program.ts"
import { arrivalsToRecord } from "../history/report/Arrivals.ts"
import { connect } from "../history/store/Fixture.ts"
import { scaled } from "../TimeLimits.ts"

const temporary = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "dasmon-report-test-"))),
  (folder) => Effect.promise(() => rm(folder, { recursive: true, force: true }))
)

/** Runs `report`; gives its exit code and what it printed. */
const report = (...options: ReadonlyArray<string>) =>
  Effect.scoped(
    Effect.gen(function* () {
      const program = yield* start(["report", ...options])
      const [code] = yield* program.exited("30 seconds")
      return { code, output: program.output(), errors: program.errors() }
    })
  )

const script = fileURLToPath(new URL("ReportWriter.mjs", import.meta.url))

/** A process that records into the history at `path` until the scope closes; gives how far it has come. */
const writer = (path: string) =>
  Effect.gen(function* () {
    const written = { last: -1 }
    const begun = yield* Deferred.make<void>()
    yield* Effect.acquireRelease(
      Effect.sync(() => {
        const child = spawn(process.execPath, [script, path], { stdio: ["ignore", "pipe", "inherit"] })
        child.stdout.setEncoding("utf8").on("data", (text: string) => {
          written.last = Number(text.trim().split("\n").at(-1))
          if (written.last >= 60) Deferred.unsafeDone(begun, Effect.void)
        })
        return child
      }),
      (child) =>
        Effect.async<void>((resume) => {
          child.once("exit", () => resume(Effect.void))
          child.kill("SIGKILL")
        })
    )
    yield* Deferred.await(begun).pipe(Effect.timeout(scaled("30 seconds")))
    return written
  })

describe("dasmon report", () => {
  it.scopedLive("answers in three formats while another process writes, which it does not hold up", () =>
    Effect.gen(function* () {
      const path = join(yield* temporary, "dasmon.db")
      const written = yield* writer(path)

      const before = written.last
      const table = yield* report("--db", path)
      assert.strictEqual(table.code, 0, table.errors)
      assert.isAbove(written.last, before + 5, "the writer went on")
      const [title = "", meaning = "", , head = "", ...lines] = table.output.trimEnd().split("\n")
      assert.match(title, /^compliance by client · devnet, or so · \d{4}-\d\d-\d\d to .* probes of 2 peers$/)
      assert.match(meaning, /^compliance = verified columns ÷ tested; /)
      assert.match(head, /^client +peers +probes +tested +compliance +missing$/)
      assert.strictEqual(lines.length, 2)
      assert.match(table.output, /^lighthouse +1 +[\d,]+ +[\d,]+ +100% +0$/m)
      assert.match(table.output, /^prysm +1 +[\d,]+ +[\d,]+ +50\.00% +[\d,]+$/m)

      const json = yield* report("--db", path, "--by", "version", "--format", "json", "--since", "2d")
      const rows = yield* Schema.decode(Schema.parseJson(Schema.Array(ComplianceRow)))(json.output)
      assert.deepStrictEqual(rows.map(({ group }) => group).sort(), ["lighthouse v8.0.0", "prysm v6.1.2"])

      const csv = yield* report("--db", path, "--by", "worst", "--format", "csv")
      const [titles = "", ...records] = csv.output.trimEnd().split("\n")
      assert.match(
        titles,
        /^peerId,client,tested,blamed,compliance,complianceWithSuspicions,success,missing,.*,blamedFraction,low,high,/
      )
      // The reason has quotes, a comma and a line break in it.
      assert.match(records.join("\n"), /^peer-1,prysm v6\.1\.2,\d+,\d+,0\.5,.*,"no ""column"" 2,\nat all"$/)

      const slot = yield* report("--db", path, "--slot", "1001", "--format", "json")
      const [holdings] = yield* Schema.decode(Schema.parseJson(Schema.Tuple(SlotHoldings)))(slot.output)
      assert.strictEqual(holdings.held, 1)
      assert.deepStrictEqual(holdings.columns[1]?.peerIds, ["peer-1"])
      assert.strictEqual(holdings.columns[2]?.failed, 1)
      assert.strictEqual(holdings.state, "untested")

      const slots = yield* report("--db", path, "--by", "slot", "--limit", "1")
      assert.strictEqual(slots.code, 0, slots.errors)
      assert.match(slots.output, /^ *slot +state +held +peers +weakest column +its peers +sampled$/m)
      assert.match(slots.output, /^ *[\d,]+ +untested +1 +1 +1 +1 +–$/m)
    })
  )

  it.scopedLive("tells when columns came over gossip, in three formats, and of one slot", () =>
    Effect.gen(function* () {
      const path = join(yield* temporary, "dasmon.db")
      yield* Effect.provide(
        Effect.flatMap(History, (history) =>
          Effect.forEach(arrivalsToRecord, history.recordArrivals, { discard: true })
        ),
        layerSqlite({ path })
      )
      const table = yield* report("--db", path, "--by", "arrival")
      assert.strictEqual(table.code, 0, table.errors)
      assert.match(table.output, /^arrival of columns by gossip, by column · no network yet · all that is kept\n/)
      assert.match(table.output, /^column +blocks +missed +arrived +late +p50 ms +p90 ms +p99 ms +copies$/m)
      assert.match(table.output, /^ +0 +3 +0 +4 +25\.00% +528 +8,448 +8,448 +5$/m)
      assert.match(table.output, /^ +9 +1 +1 +0 +– +– +– +– +0$/m)
      const days = yield* report("--db", path, "--by", "arrival-day", "--format", "csv")
      assert.strictEqual(
        days.output.split("\n")[0],
        "group,expected,missed,arrived,late,lateShare,p50,p90,p99,duplicates"
      )
      assert.match(days.output, /^2024-10-05,2,0,2,/m)
      const clients = yield* report("--db", path, "--by", "arrival-client", "--format", "json")
      const rows = yield* Schema.decode(Schema.parseJson(Schema.Array(ArrivalsRow)))(clients.output)
      assert.deepStrictEqual(
        rows.map(({ arrived, group }) => [group, arrived]),
        [
          ["lighthouse", 5],
          ["prysm", 4]
        ]
      )
      const slot = yield* report("--db", path, "--by", "arrival", "--slot", "5")
      assert.match(slot.output, /^0x1234\w+ +7 +4,001 +5 +prysm +b$/m)
      const both = yield* report("--db", path, "--by", "arrival", "--slot", "5", "--since", "1d")
      assert.deepStrictEqual([both.code, both.errors.includes("give --slot or --since, not both")], [2, true])
    })
  )

  it.scopedLive("answers after the monitor has stopped or was killed, also where it may not write", () =>
    Effect.gen(function* () {
      const folder = yield* temporary
      const path = join(folder, "dasmon.db")
      yield* Effect.scoped(writer(path))
      const worst = report("--db", path, "--by", "worst", "--format", "json").pipe(
        Effect.tap(({ code, errors }) => assert.strictEqual(code, 0, errors)),
        Effect.flatMap(({ output }) => Schema.decode(Schema.parseJson(Schema.Array(WorstRow)))(output))
      )
      const killed = yield* worst
      assert.deepStrictEqual(
        killed.map(({ blamedFraction, peerId }) => [peerId, blamedFraction]),
        [["peer-1", 0.5]]
      )
      // Closes it in order, so that nothing but the file is left.
      yield* Effect.provide(History, layerSqlite({ path }))
      yield* Effect.promise(() => chmod(path, 0o444))
      yield* Effect.promise(() => chmod(folder, 0o555))
      yield* Effect.addFinalizer(() => Effect.promise(() => chmod(folder, 0o755)))
      assert.deepStrictEqual(yield* asNobody(worst), killed)
    })
  )

  it.scopedLive("says in a line what is wrong with a file, and with the command line", () =>
    Effect.gen(function* () {
      const folder = yield* temporary
      const path = join(folder, "dasmon.db")
      const says = (pattern: RegExp, ...options: ReadonlyArray<string>) =>
        Effect.gen(function* () {
          const { code, errors, output } = yield* report(...options)
          assert.match(errors, pattern)
          assert.strictEqual(errors.trim().split("\n").length, 1, errors)
          assert.deepStrictEqual([code, output], [2, ""])
        })
      yield* says(/dasmon\.db: there is no such file/, "--db", path)
      const own = join(folder, "own.db")
      yield* Effect.provide(History, layerSqlite({ path: own }))
      yield* Effect.scoped(
        Effect.flatMap(
          connect(own, false),
          (sql) => sql`INSERT INTO effect_sql_migrations (migration_id, name) VALUES (99, 'future')`
        )
      )
      yield* says(/--limit 4096/, "--db", own, "--by", "slot", "--limit", "5000")
      const config = join(folder, "dasmon.yaml")
      yield* Effect.promise(() => writeFile(config, `database_path: ${own}\n`))
      yield* says(/own\.db: its schema has version 99, .* use the newer dasmon/, "--config", config)
    })
  )
})

/** As a user who has no rights but everybody's. */
const asNobody = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
  process.getuid?.() !== 0
    ? effect
    : Effect.acquireUseRelease(
        Effect.sync(() => process.seteuid?.("nobody")),
        () => effect,
        () => Effect.sync(() => process.seteuid?.(0))
      )
