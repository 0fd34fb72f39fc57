import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, TestClock } from "effect"
import { AddressBook } from "../../../src/discovery/book/AddressBook.ts"
import { findInBook } from "../../../src/history/report/ReportBook.ts"
import { layer } from "../../../src/history/store/SqliteHistory.ts"
import { nodeOf, peerIdOf } from "../../discovery/book/Nodes.ts"
import { connect, temporaryFolder } from "../store/Fixture.ts"

describe("the address book of a history", () => {
  it.scoped("is read while a monitor writes it, and while somebody else holds it", () =>
    Effect.gen(function* () {
      const path = join(yield* temporaryFolder, "history.db")
      const find = findInBook(path)
      const absent = yield* Effect.flip(find(peerIdOf(1)))
      assert.include(absent.message, "there is no such file")
      yield* Effect.gen(function* () {
        const book = yield* AddressBook
        yield* book.hear(nodeOf(1, { seq: 3n, enr: "enr:-x" }))
        yield* TestClock.adjust("3 seconds")
        const held = yield* Effect.acquireRelease(connect(path, false), (sql) => Effect.ignore(sql.unsafe("ROLLBACK")))
        yield* held.unsafe("BEGIN IMMEDIATE")
        assert.deepStrictEqual(yield* find(peerIdOf(1)), Option.fromNullable(book.entries().get(peerIdOf(1))))
        assert.deepStrictEqual(yield* find(peerIdOf(2)), Option.none())
      }).pipe(Effect.provide(layer({ path })), Effect.scoped)
    })
  )
})
