import * as Reactivity from "@effect/experimental/Reactivity"
import * as SqlClient from "@effect/sql/SqlClient"
import type { Connection } from "@effect/sql/SqlConnection"
import { SqlError } from "@effect/sql/SqlError"
import { makeCompilerSqlite } from "@effect/sql/Statement"
import Sqlite from "better-sqlite3"
import { Effect, type Scope, Stream } from "effect"

/**
 * Opens the SQLite file at `filename`, made if there is none, until the scope closes.
 *
 * A text is prepared once and stays prepared: there must be a fixed number of texts, with parameters for what varies.
 * Nothing is set: pragmas are the caller's.
 */
export const openSqlite = (
  filename: string,
  options: {
    /** The file must be there, and nothing is written. */
    readonly readonly: boolean
  }
): Effect.Effect<SqlClient.SqlClient, SqlError, Scope.Scope> =>
  Effect.gen(function* () {
    const connection = yield* connect(filename, options)
    const one = yield* Effect.makeSemaphore(1)
    const reserve = Effect.uninterruptibleMask((restore) =>
      restore(one.take(1)).pipe(Effect.zipRight(Effect.addFinalizer(() => one.release(1))), Effect.as(connection))
    )
    return yield* SqlClient.make({
      acquirer: one.withPermits(1)(Effect.succeed(connection)),
      transactionAcquirer: reserve,
      compiler: makeCompilerSqlite(),
      spanAttributes: [["db.system.name", "sqlite"]]
    }).pipe(Effect.provideServiceEffect(Reactivity.Reactivity, Reactivity.make))
  })

const connect = (filename: string, options: Sqlite.Options): Effect.Effect<Connection, SqlError, Scope.Scope> =>
  Effect.gen(function* () {
    const database = yield* Effect.acquireRelease(
      attempt("open", () => new Sqlite(filename, options)),
      (database) => Effect.sync(() => database.close())
    )
    neverCollected.push(database)
    const prepared = onceForEachText((text) => database.prepare<Array<unknown>, unknown>(text))
    const preparedForArrays = onceForEachText((text) => database.prepare<Array<unknown>, ReadonlyArray<unknown>>(text))

    const execute: Connection["execute"] = (text, parameters) =>
      attempt("execute", () => {
        const statement = prepared(text)
        if (statement.reader) return statement.all(...parameters)
        statement.run(...parameters)
        return []
      })
    return {
      execute,
      // The client sends BEGIN, COMMIT and the like this way: texts of a fixed number as well.
      executeUnprepared: execute,
      executeRaw: (text, parameters) =>
        attempt("execute", () => {
          const statement = prepared(text)
          return statement.reader ? statement.all(...parameters) : statement.run(...parameters)
        }),
      executeValues: (text, parameters) =>
        attempt("execute", () => {
          const statement = preparedForArrays(text)
          if (statement.reader) return statement.raw().all(...parameters)
          statement.run(...parameters)
          return []
        }),
      executeStream: () => Stream.dieMessage("SQLite gives all rows at once")
    }
  })

/** A text that cannot be prepared, because the file is locked or memory is short, is tried again the next time. */
const onceForEachText = <A extends object>(prepare: (text: string) => A): ((text: string) => A) => {
  const statements = new Map<string, A>()
  return (text) => {
    const known = statements.get(text)
    if (known !== undefined) return known
    const statement = prepare(text)
    statements.set(text, statement)
    neverCollected.push(statement)
    return statement
  }
}

const attempt = <A>(what: string, call: () => A): Effect.Effect<A, SqlError> =>
  Effect.try({ try: call, catch: (cause) => new SqlError({ cause, message: `SQLite cannot ${what}` }) })

/**
 * Every database that this thread has opened and every statement that it has prepared, closed or not: some 400 bytes
 * each.
 *
 * From Node 24.19 on the process aborts when one of them is collected at a moment at which no JavaScript context is
 * entered, as it is when a collection begins while compiled code allocates: the destructor of `node::ObjectWrap`, from
 * which better-sqlite3 12 derives them, asks for the context (nodejs/node#65446). Closing does not help. Nothing but
 * the module lives as long as the thread, so it is here that they are held; when the thread ends, Node takes them down
 * with the context entered.
 */
const neverCollected: Array<object> = []
