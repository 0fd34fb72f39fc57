import { Effect, type Option } from "effect"
import type { BookEntry } from "../../discovery/book/BookEntry.ts"
import type { PeerId } from "../../domain/Primitives.ts"
import { readEntry } from "../store/sqlite/BookRows.ts"
import { explain } from "../store/sqlite/SqliteFault.ts"
import { openForReading, unreadable } from "./ReportDatabase.ts"
import type { ReportError } from "./Reports.ts"

/**
 * Looks a node up in the address book beside the history at `path`, as it stands on disk: a monitor may write it meanwhile.
 * The file is opened for each question, and nothing is held after it.
 */
export const findInBook =
  (path: string) =>
  (peerId: PeerId): Effect.Effect<Option.Option<BookEntry>, ReportError> =>
    openForReading(path).pipe(
      Effect.flatMap((sql) => sql.reserve),
      Effect.flatMap((connection) => readEntry(connection, peerId)),
      Effect.scoped,
      Effect.mapError((cause) => (cause._tag === "ReportError" ? cause : unreadable(path, explain(cause).reason)))
    )
