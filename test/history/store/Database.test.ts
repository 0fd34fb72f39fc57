import { chmod, mkdir, readFile, stat, truncate, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Logger, LogLevel, type Scope } from "effect"
import { History, HistoryError } from "../../../src/history/store/History.ts"
import { checkUnused } from "../../../src/history/store/sqlite/Database.ts"
import { schemaVersion } from "../../../src/history/store/sqlite/migrations/Migrations.ts"
import { layer } from "../../../src/history/store/SqliteHistory.ts"
import { connect, network, outcome, probe, temporaryFolder } from "./Fixture.ts"

const open = <A, E>(path: string, use: Effect.Effect<A, E, History>): Effect.Effect<A, E | HistoryError> =>
  Effect.provide(use, layer({ path }))

const totals = Effect.flatMap(History, (history) => history.totals)

const recordOne = (id: string) =>
  Effect.flatMap(History, (history) =>
    history.recordProbe(probe(id, "a", [outcome(1, 1, "success"), outcome(2, 1, "missing", "not there")]), "answered")
  )

/** The sentence with which opening fails. */
const refusal = (path: string) =>
  Effect.map(Effect.flip(open(path, totals)), (error) => {
    assert.instanceOf(error, HistoryError)
    assert.include(error.message, path)
    return error.message
  })

const scoped = (title: string, body: (folder: string) => Effect.Effect<void, unknown, Scope.Scope>) =>
  it.scopedLive(title, () => Effect.flatMap(temporaryFolder, body))

describe("a history that cannot be read", () => {
  scoped("says so once, however many ask, and tells each of them why", (folder) =>
    Effect.gen(function* () {
      const path = join(folder, "history.db")
      yield* open(path, recordOne("p1"))
      const warnings: Array<string> = []
      const logger = Logger.make(({ logLevel, message }) => {
        if (logLevel === LogLevel.Warning) warnings.push(String(message))
      })
      yield* Effect.gen(function* () {
        const history = yield* History
        const sql = yield* connect(path, false)
        yield* sql`ALTER TABLE peers RENAME TO gone`
        const errors = yield* Effect.forEach(["a", "b", "c"], (peerId) => Effect.flip(history.peer(peerId)))
        assert.isTrue(errors.every(({ reason }) => reason.includes("no such table: peers")))
        yield* Effect.flip(history.claims("a"))
        assert.lengthOf(warnings, 1)
        assert.include(warnings[0] ?? "", "no such table: peers")
      }).pipe(Effect.scoped, Effect.provide(layer({ path })), Effect.provide(Logger.add(logger)))
    })
  )
})

describe("opening a history", () => {
  scoped("finds again what was recorded, closing being enough to have it written", (folder) =>
    Effect.gen(function* () {
      const path = join(folder, "history.db")
      yield* open(path, recordOne("p1"))
      yield* open(path, recordOne("p2"))
      yield* checkUnused(path)
      assert.strictEqual((yield* open(path, totals)).probes, 2)
    })
  )

  scoped("does not mix the histories of two networks", (folder) =>
    Effect.gen(function* () {
      const path = join(folder, "history.db")
      const mine = { ...network, genesisTime: 1_742_213_400 }
      const openFor = (network: typeof mine) => Effect.provide(totals, layer({ path, network }))
      yield* openFor(mine)
      yield* openFor(mine)
      for (const other of [
        { ...mine, genesisValidatorsRoot: new Uint8Array(32) },
        { ...mine, genesisTime: 1_700_000_000 }
      ]) {
        const error = yield* Effect.flip(openFor({ ...other, network: "mainnet" }))
        assert.include(error.message, "history of another network (hoodi, genesis 2025-03-17T12:10:00.000Z)")
        assert.include(error.message, "for mainnet")
      }
    })
  )

  scoped("asks for a folder that exists", (folder) =>
    Effect.gen(function* () {
      assert.include(yield* refusal(join(folder, "none", "history.db")), `the folder ${folder}/none does not exist`)
    })
  )

  scoped("does not take a folder for a file", (folder) =>
    Effect.gen(function* () {
      yield* Effect.promise(() => mkdir(join(folder, "history.db")))
      assert.include(yield* refusal(join(folder, "history.db")), "it is a folder")
    })
  )

  scoped("leaves a file alone that is no database", (folder) =>
    Effect.gen(function* () {
      const path = join(folder, "history.db")
      const text = "peers:\n  - enr\n".repeat(1000)
      yield* Effect.promise(() => writeFile(path, text))
      assert.include(yield* refusal(path), "it is not a database: move it away")
      assert.strictEqual(yield* Effect.promise(() => readFile(path, "utf8")), text)
    })
  )

  scoped("leaves the database of another program alone", (folder) =>
    Effect.gen(function* () {
      const path = join(folder, "history.db")
      yield* Effect.scoped(Effect.flatMap(connect(path, false), (sql) => sql`CREATE TABLE bookmarks (url TEXT)`))
      const before = yield* Effect.promise(() => readFile(path))
      assert.include(yield* refusal(path), "it is a database of another program")
      assert.isTrue(before.equals(yield* Effect.promise(() => readFile(path))))
    })
  )

  scoped("says so when the file is damaged", (folder) =>
    Effect.gen(function* () {
      const path = join(folder, "history.db")
      yield* open(path, recordOne("p1"))
      yield* Effect.promise(() => truncate(path, 8192))
      assert.include(yield* refusal(path), "it is damaged")
    })
  )

  scoped("does not touch the schema of a newer program", (folder) =>
    Effect.gen(function* () {
      const path = join(folder, "history.db")
      yield* open(path, recordOne("p1"))
      yield* Effect.scoped(
        Effect.flatMap(
          connect(path, false),
          (sql) => sql`INSERT INTO effect_sql_migrations (migration_id, name) VALUES (99, 'future')`
        )
      )
      assert.include(
        yield* refusal(path),
        `its schema has version 99, this program knows up to ${schemaVersion}: use the newer dasmon`
      )
    })
  )

  scoped("keeps a second writer out until the first is done, and lets readers in", (folder) =>
    Effect.gen(function* () {
      const path = join(folder, "history.db")
      yield* open(
        path,
        Effect.gen(function* () {
          const history = yield* History
          yield* recordOne("p1")
          yield* history.flush
          assert.include(yield* refusal(path), "another process is writing to it")
          assert.include((yield* Effect.flip(checkUnused(path))).message, "another process is writing to it")
          const reader = yield* connect(path, true)
          assert.deepStrictEqual(yield* reader`SELECT probes FROM totals`, [{ probes: 1 }])
          yield* recordOne("p2")
        }).pipe(Effect.scoped)
      )
      assert.strictEqual((yield* open(path, totals)).probes, 2)
    })
  )

  scoped("says so when the file, or its folder, may not be written", (folder) =>
    Effect.gen(function* () {
      const path = join(folder, "history.db")
      yield* open(path, recordOne("p1"))
      const asNobody = Effect.acquireUseRelease(
        Effect.sync(() => process.seteuid?.(isRoot ? "nobody" : (process.geteuid?.() ?? 0))),
        () => refusal(path),
        () => Effect.sync(() => process.seteuid?.(process.getuid?.() ?? 0))
      )
      const isRoot = process.getuid?.() === 0
      const chmodAll = (folderMode: number, fileMode: number, lockMode: number) =>
        Effect.promise(async () => {
          await chmod(path, fileMode)
          await chmod(`${path}.lock`, lockMode)
          await chmod(folder, folderMode)
        })
      yield* Effect.addFinalizer(() => chmodAll(0o755, 0o644, 0o644))
      yield* chmodAll(0o777, 0o444, 0o666)
      assert.include(yield* asNobody, "it cannot be written: give this user write access")
      yield* chmodAll(0o777, 0o666, 0o444)
      assert.include(yield* asNobody, "it cannot be written: give this user write access")
      yield* chmodAll(0o777, 0o000, 0o666)
      assert.include(yield* asNobody, "it cannot be opened: give this user read and write access")
      yield* chmodAll(0o555, 0o666, 0o666)
      yield* asNobody
    })
  )
})

describe("a history that cannot be written for a while", () => {
  scoped("keeps what is recorded until it can, and says why a flush fails meanwhile", (folder) =>
    Effect.gen(function* () {
      const path = join(folder, "history.db")
      yield* open(
        path,
        Effect.gen(function* () {
          const history = yield* History
          const other = yield* connect(path, false)
          yield* Effect.scoped(
            Effect.gen(function* () {
              const held = yield* other.reserve
              yield* held.executeRaw("BEGIN IMMEDIATE", [])
              yield* recordOne("p1")
              const error = yield* Effect.flip(history.flush)
              assert.include(error.message, "another process holds a lock on it")
              assert.strictEqual((yield* history.totals).probes, 0)
              yield* held.executeRaw("ROLLBACK", [])
            })
          )
          yield* history.flush
          assert.strictEqual((yield* history.totals).probes, 1)
        }).pipe(Effect.scoped)
      )
    })
  )
})

describe("the write-ahead log of a history", () => {
  scoped("is taken in while it is small, so that nobody waits for long", (folder) =>
    Effect.gen(function* () {
      const path = join(folder, "history.db")
      const size = yield* open(
        path,
        Effect.gen(function* () {
          const history = yield* History
          const outcomes = (n: number) =>
            Array.from({ length: 16 }, (_, slot) => outcome(n * 200 + slot, 1, "missing", `${n} ${"x".repeat(200)}`))
          for (let n = 0; n < 1_000; n++)
            yield* history.recordProbe(probe(`p${n}`, `peer${n % 5}`, outcomes(n)), "answered")
          yield* history.flush
          return (yield* Effect.promise(() => stat(`${path}-wal`))).size
        })
      )
      // 200 pages, and at most one batch beyond; by default it would be 1,000.
      assert.isBelow(size, 2 * 2 ** 20)
    })
  )
})
