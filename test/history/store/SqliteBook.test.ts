import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Option, TestClock } from "effect"
import { AddressBook } from "../../../src/discovery/book/AddressBook.ts"
import { openDatabase } from "../../../src/history/store/sqlite/Database.ts"
import { makeBook } from "../../../src/history/store/sqlite/SqliteBook.ts"
import { layer } from "../../../src/history/store/SqliteHistory.ts"
import { bookContract } from "../../discovery/book/BookContract.ts"
import { nodeOf, peerIdOf } from "../../discovery/book/Nodes.ts"
import { eventually } from "../../Eventually.ts"
import { connect, rows, temporaryFolder } from "./Fixture.ts"

const layerSmall = (path: string) =>
  Layer.scoped(
    AddressBook,
    Effect.flatMap(openDatabase(path), (sql) => makeBook(sql, 100))
  )

bookContract(
  "SqliteBook",
  Layer.unwrapScoped(Effect.map(temporaryFolder, (folder) => layerSmall(join(folder, "history.db"))))
)

describe("an address book on disk", () => {
  it.scoped("is there again after a restart, whole, and without those that it let go", () =>
    Effect.gen(function* () {
      const path = join(yield* temporaryFolder, "history.db")
      const before = yield* Effect.gen(function* () {
        const book = yield* AddressBook
        for (let n = 0; n < 130; n++) yield* book.hear(nodeOf(n, { seq: 2n ** 64n - 1n, enr: "enr:-x", count: 4 }))
        yield* TestClock.adjust("3 seconds")
        yield* book.note(peerIdOf(129), {
          agent: Option.some("Teku/1"),
          claim: Option.some({ groupCount: 128, earliestAvailableSlot: 7 }),
          reachedAt: Option.some(5),
          auditedAt: Option.some(6),
          triedAt: Option.some(4),
          failures: 1,
          notBefore: 8,
          score: { value: 0.875, at: 9 }
        })
        return new Map(book.entries())
      }).pipe(Effect.provide(layerSmall(path)))
      assert.strictEqual(before.size, 100)
      const after = yield* Effect.map(AddressBook, (book) => new Map(book.entries())).pipe(
        Effect.provide(layer({ path }))
      )
      assert.deepStrictEqual(after, before)
    })
  )

  it.scoped("is there without the nodes that cannot be read", () =>
    Effect.gen(function* () {
      const path = join(yield* temporaryFolder, "history.db")
      yield* Effect.provide(
        Effect.flatMap(AddressBook, (book) => Effect.zipRight(book.hear(nodeOf(1)), book.hear(nodeOf(2)))),
        layerSmall(path)
      )
      yield* Effect.scoped(
        Effect.flatMap(
          connect(path, false),
          (sql) => sql`UPDATE nodes SET multiaddrs = '{' WHERE peer_id = ${peerIdOf(1)}`
        )
      )
      const after = yield* Effect.provide(
        Effect.map(AddressBook, (book) => [...book.entries().keys()]),
        layer({ path })
      )
      assert.deepStrictEqual(after, [peerIdOf(2)])
    })
  )

  it.scoped("is written while it is used, and later where that was not possible", () =>
    Effect.gen(function* () {
      const path = join(yield* temporaryFolder, "history.db")
      yield* Effect.gen(function* () {
        const book = yield* AddressBook
        const held = yield* Effect.acquireRelease(connect(path, false), (sql) => Effect.ignore(sql.unsafe("ROLLBACK")))
        yield* held.unsafe("BEGIN IMMEDIATE")
        yield* book.hear(nodeOf(1))
        yield* TestClock.adjust("5 seconds")
        assert.deepStrictEqual(yield* rows(path, "SELECT peer_id FROM nodes"), [])
        yield* held.unsafe("ROLLBACK")
        yield* eventually(
          TestClock.adjust("2 seconds").pipe(
            Effect.zipRight(rows(path, "SELECT peer_id FROM nodes")),
            Effect.map((found) => found.length === 1)
          )
        )
      }).pipe(Effect.scoped, Effect.provide(layerSmall(path)))
    })
  )
})
