import { createRequire } from "node:module"
import type Sqlite from "better-sqlite3"

/**
 * From here on every statement of the SQLite files at `filename` is prepared once a connection and text, and neither it
 * nor the connection is ever collected: there must be a fixed number of texts, with parameters for what varies.
 *
 * From Node 24.19 on the process aborts when a statement or a database of better-sqlite3 12 is collected at a moment at
 * which no JavaScript context is entered, as it is when a collection begins while compiled code allocates: the destructor
 * of `node::ObjectWrap`, from which the driver derives them, asks for the context (nodejs/node#65446). Closing does not
 * help. The client of @effect/sql-sqlite-node lets statements go: when its cache's time to live is over, for every BEGIN
 * and COMMIT, and all of them with the connection. It makes its connection itself, so that the driver's prototype is the
 * one place where they can be held; databases of other programs in this process are passed through.
 */
export const keepStatements = (filename: string): void => {
  ours.add(filename)
  if (driver.prototype.prepare !== prepareOnce)
    Object.defineProperty(driver.prototype, "prepare", { value: prepareOnce })
}

/** Statements that were ever prepared on files of ours, some 400 bytes each. */
export const keptStatements = (): number => kept.reduce((sum, { statements }) => sum + statements.size, 0)

/**
 * Nothing but the module lives as long as the thread, so it is here that they are held; when the thread ends, Node takes
 * them down with the context entered.
 */
const kept: Array<{ readonly database: Sqlite.Database; readonly statements: Map<string, Sqlite.Statement> }> = []
const ours = new Set<string>()
const statementsOf = new WeakMap<Sqlite.Database, Map<string, Sqlite.Statement>>()

/** The one that the client loads: where this program is a part of another, npm may have put a second one beside it. */
const driver: typeof Sqlite = createRequire(createRequire(import.meta.url).resolve("@effect/sql-sqlite-node"))(
  "better-sqlite3"
)

const prepare: (this: Sqlite.Database, text: string) => Sqlite.Statement = driver.prototype.prepare

function prepareOnce(this: Sqlite.Database, text: string): Sqlite.Statement {
  if (!ours.has(this.name)) return prepare.call(this, text)
  let statements = statementsOf.get(this)
  if (statements === undefined) {
    statements = new Map()
    statementsOf.set(this, statements)
    kept.push({ database: this, statements })
  }
  const known = statements.get(text)
  if (known !== undefined) return known
  // A text that cannot be prepared, because the file is locked or memory is short, is tried again the next time.
  const statement = prepare.call(this, text)
  statements.set(text, statement)
  return statement
}
