import type { SqlClient } from "@effect/sql"
import { Effect, Schedule } from "effect"
import { type Changes, makeShelf } from "../../../discovery/book/Shelf.ts"
import { daemon } from "../../../runtime/Daemon.ts"
import { makeYielder } from "../../../runtime/YieldNow.ts"
import { HistoryError } from "../History.ts"
import { deleteNode, readEntries, writeEntry } from "./BookRows.ts"
import { explain } from "./SqliteFault.ts"
import { inTransaction } from "./Transaction.ts"

/**
 * The address book in the database of the history, and over its connection. It is read once; what changes is written
 * behind, and once more when the scope closes. What cannot be written waits, and is never more than the book itself.
 */
export const makeBook = Effect.fn("SqliteBook.make")(function* (sql: SqlClient.SqlClient, most?: number) {
  const { entries, unreadable } = yield* readAll(sql)
  if (unreadable > 0)
    yield* Effect.logWarning(`the address book has ${unreadable} nodes that cannot be read: they are left out`)
  const shelf = makeShelf({ entries, isWatched: true, ...(most === undefined ? {} : { most }) })
  const yieldIfDue = makeYielder(5)
  let isFailing = false

  const write = ({ changed, gone }: Changes) =>
    inTransaction(sql, (connection) =>
      Effect.gen(function* () {
        for (const peerId of gone) yield* deleteNode(connection, [peerId])
        for (const entry of changed) {
          yield* yieldIfDue
          yield* writeEntry(connection, entry)
        }
      })
    )

  const writeSome = Effect.suspend(() => {
    const changes = shelf.takeChanges(batch)
    const { changed, gone } = changes
    if (changed.length + gone.length === 0) return Effect.succeed(false)
    return write(changes).pipe(
      Effect.zipRight(Effect.suspend(succeeded)),
      Effect.as(changed.length === batch || gone.length === batch),
      Effect.onError(() => Effect.sync(() => shelf.putBack(changes))),
      Effect.catchAll((cause) => Effect.as(failed(explain(cause).reason), false))
    )
  })
  const writeAll = Effect.repeat(writeSome, { while: (isMore) => isMore })

  const failed = (reason: string) =>
    Effect.suspend(() => {
      if (isFailing) return Effect.void
      isFailing = true
      return Effect.logError(`the address book cannot be written, and waits: ${reason}`)
    })
  const succeeded = () => {
    if (!isFailing) return Effect.void
    isFailing = false
    return Effect.logInfo("the address book is written again")
  }

  // Comes after the end of the daemon, which may have taken changes that it puts back then.
  yield* Effect.addFinalizer(() => Effect.timeoutOption(Effect.interruptible(writeAll), "2 seconds"))
  yield* daemon("writing of the address book", writeAll, Schedule.spaced("2 seconds"))
  return shelf.book
})

/** Entries that one transaction writes. */
const batch = 500

const readAll = (sql: SqlClient.SqlClient) =>
  Effect.scoped(Effect.flatMap(sql.reserve, readEntries)).pipe(
    Effect.mapError((cause) => new HistoryError({ operation: "read the address book", reason: explain(cause).reason }))
  )
