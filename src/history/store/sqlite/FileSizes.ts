import { stat } from "node:fs/promises"
import { Effect, Metric, Schedule } from "effect"
import { historyFileBytes, historyWalBytes } from "../../../domain/metrics/Metrics.ts"
import { daemon } from "../../../runtime/Daemon.ts"

/** Shows the sizes of the database at `path` and of its write-ahead log, until the scope closes. */
export const showFileSizes = (path: string) =>
  daemon(
    "sizes of the history's files",
    Effect.gen(function* () {
      yield* Metric.set(historyFileBytes, yield* sizeOf(path))
      yield* Metric.set(historyWalBytes, yield* sizeOf(`${path}-wal`))
    }),
    Schedule.spaced("10 seconds")
  )

/** 0 for a file that is not there. */
const sizeOf = (path: string): Effect.Effect<number> =>
  Effect.tryPromise(async () => (await stat(path)).size).pipe(
    Effect.disconnect,
    Effect.timeout("5 seconds"),
    Effect.orElseSucceed(() => 0)
  )
