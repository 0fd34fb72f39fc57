import { Predicate } from "effect"
import { messageOf } from "../../../domain/Text.ts"

/** What went wrong in SQLite, and what to do about it. */
export interface SqliteFault {
  /** A sentence for a person. */
  readonly reason: string
  /** Another connection holds the lock. */
  readonly busy: boolean
  /** Whether it is in what the file holds, and not in the disk, the system, or who else has the file. */
  readonly damage: boolean
  /** Whether the same write can succeed later: the fault is in the disk or the file, not in what is written. */
  readonly passing: boolean
}

/** Explains what the driver threw: `cause` itself, or that within (an `SqlError`, a `MigrationError`). */
export const explain = (cause: unknown): SqliteFault => {
  const thrown = innermost(cause)
  const code = Predicate.hasProperty(thrown, "code") && typeof thrown.code === "string" ? thrown.code : ""
  const advice = advices.find(([prefix]) => code.startsWith(prefix))?.[1]
  const message = messageOf(thrown)
  if (notBuilt.test(message)) {
    const reason = `the SQLite driver is not built for Node ${process.versions.node}: run npm rebuild better-sqlite3`
    return { reason, busy: false, damage: false, passing: false }
  }
  return {
    reason: advice === undefined ? message : `${advice} (${message})`,
    busy: code.startsWith("SQLITE_BUSY"),
    damage: advice === undefined || damages.some((prefix) => code.startsWith(prefix)),
    passing: advice !== undefined
  }
}

const advices: ReadonlyArray<readonly [code: string, advice: string]> = [
  ["SQLITE_BUSY", "another process holds a lock on it: end that process"],
  ["SQLITE_LOCKED", "another process holds a lock on it: end that process"],
  ["SQLITE_FULL", "the disk is full: make room"],
  ["SQLITE_IOERR", "the disk does not read or write: check it and its free space"],
  ["SQLITE_READONLY", "it cannot be written: give this user write access to the file and its folder"],
  ["SQLITE_PERM", "it cannot be written: give this user write access to the file and its folder"],
  ["SQLITE_CANTOPEN", "it cannot be opened: give this user read and write access to the file and its folder"],
  ["SQLITE_NOTADB", "it is not a database: move it away, or change database_path"],
  ["SQLITE_CORRUPT", "it is damaged: move it away and restart, or restore a copy"],
  ["SQLITE_NOMEM", "there is not enough memory"],
  ["SQLITE_PROTOCOL", "another process holds a lock on it: end that process"]
]

const damages = ["SQLITE_NOTADB", "SQLITE_CORRUPT"]

/** What Node says of a native module of another Node, and what the driver says when it finds none: many lines. */
const notBuilt = /NODE_MODULE_VERSION|could not locate the bindings file/i

const innermost = (cause: unknown): unknown =>
  Predicate.hasProperty(cause, "cause") && cause.cause !== undefined && cause.cause !== null
    ? innermost(cause.cause)
    : cause
