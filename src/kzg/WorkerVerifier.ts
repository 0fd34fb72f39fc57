import { existsSync } from "node:fs"
import { availableParallelism } from "node:os"
import { fileURLToPath } from "node:url"
import * as Worker from "@effect/platform/Worker"
import { WorkerError } from "@effect/platform/WorkerError"
import { Array as Arr, Duration, Effect, Layer, type ParseResult, Pool } from "effect"
import { startThread } from "../runtime/WorkerThread.ts"
import { makeTurns } from "../runtime/Turns.ts"
import { makeBlockFrames } from "../domain/column/BlockFrames.ts"
import { fewCells, verifyInBatches } from "./Batches.ts"
import { makeGather } from "./Gather.ts"
import { type SidecarToVerify, skipped, Verifier, VerifierError, type VerifyOptions } from "./Verifier.ts"
import { packBatch, type VerifyBatch } from "./VerifierMessage.ts"
import type { ColumnGroup } from "./VerifyColumns.ts"
import { prepareSidecars } from "./VerifySidecars.ts"

export interface WorkerVerifierOptions {
  /** Threads; one core is left to the event loop unless there is only one. */
  readonly size?: number
  /** For a whole call, waiting for a free thread included. Default 60 s. */
  readonly callLimit?: Duration.DurationInput
  /** For one batch on its thread; a thread that takes longer is replaced, and each caller's part tried once more. Default 15 s. */
  readonly batchLimit?: Duration.DurationInput
  /** How long a batch that comes last waits for its turn before it is skipped. Default 20 s. */
  readonly lastLimit?: Duration.DurationInput
  /** For a thread to start and load the trusted setup. Default 60 s. */
  readonly startLimit?: Duration.DurationInput
  /** The built `VerifierWorker.js`, when it is not beside this module. */
  readonly entry?: URL
}

/**
 * Verifies in worker threads, which stand ready with the trusted setup when the layer is built and end with its scope.
 *
 * Callers share batches; those that come last have small ones of their own. One batch is on each thread and the rest
 * waits, uncopied, with the callers: what is copied at any time is a batch a thread. A thread that dies is replaced, and
 * its batch tried once more, caller by caller. Fails with `VerifierError` when no thread can be started.
 */
export const layerWorkers = (options: WorkerVerifierOptions = {}): Layer.Layer<Verifier, VerifierError> =>
  Layer.scoped(Verifier, make(options))

const make = Effect.fnUntraced(function* (options: WorkerVerifierOptions) {
  const entry = options.entry ?? new URL("./VerifierWorker.js", import.meta.url)
  const size = Math.max(1, options.size ?? availableParallelism() - 1)
  const callLimit = Duration.decode(options.callLimit ?? "60 seconds")
  const batchLimit = Duration.decode(options.batchLimit ?? "15 seconds")
  const lastLimit = Duration.decode(options.lastLimit ?? "20 seconds")
  const startLimit = Duration.decode(options.startLimit ?? "60 seconds")
  if (entry.protocol === "file:" && !existsSync(fileURLToPath(entry))) {
    return yield* new VerifierError({ reason: `there is no ${fileURLToPath(entry)}: the program is not built` })
  }

  const start = startThread(Worker.makeSerialized<VerifyBatch>({}), { entry, name: "dasmon verifier", startLimit })
  const pool = yield* Pool.make({ acquire: start, size })
  const turns = makeTurns(size)

  const runBatch = Effect.fnUntraced(
    function* (groups: ReadonlyArray<ColumnGroup>) {
      const worker = yield* pool.get
      return yield* worker.executeEffect(packBatch(groups)).pipe(
        Effect.timeoutFail({
          duration: batchLimit,
          onTimeout: () =>
            new WorkerError({
              reason: "unknown",
              cause: new Error(`a batch took longer than ${Duration.format(batchLimit)}`)
            })
        }),
        Effect.tapErrorTag("WorkerError", () => pool.invalidate(worker))
      )
    },
    Effect.scoped,
    (run, groups) =>
      // That of several callers is tried once more by the gatherer, each for itself.
      Effect.retry(run, {
        times: groups.length > 1 ? 0 : 1,
        while: (error) => error._tag === "WorkerError"
      }),
    Effect.mapError(failed)
  )

  /** Runs when its turn has come. */
  const inTurn = <A, E>(run: Effect.Effect<A, E>): Effect.Effect<A, E> =>
    Effect.uninterruptibleMask((restore) =>
      Effect.zipRight(turns.take(restore), Effect.ensuring(restore(run), turns.giveBack()))
    )
  /** The same when nobody else waits, and not at all where that takes too long. */
  const lastInTurn = (batch: ColumnGroup) =>
    Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(turns.take(restore, { isLast: true, within: lastLimit }), (isTaken) =>
        isTaken
          ? Effect.ensuring(restore(runBatch([batch])), turns.giveBack(true))
          : Effect.succeed(batch.columns.map(() => skipped))
      )
    )
  const gather = yield* makeGather({ atOnce: size, inTurn, run: runBatch })
  const frames = makeBlockFrames()

  // Every thread once, at the same time: each is warm before the first call.
  yield* Effect.scoped(Effect.all(Arr.replicate(pool.get, size), { concurrency: size, discard: true })).pipe(
    Effect.mapError(failed)
  )

  return {
    verify: (sidecars: ReadonlyArray<SidecarToVerify>, { isLast = false, mostGuilty }: VerifyOptions = {}) =>
      Effect.flatMap(prepareSidecars(sidecars, mostGuilty, frames), (prepared) =>
        Effect.map(
          isLast ? verifyInBatches(prepared, fewCells, lastInTurn) : gather.verify(prepared),
          prepared.withProofs
        )
      ).pipe(
        // Neither a caller that gives up nor one whose time is over waits for a thread to let go.
        Effect.disconnect,
        Effect.timeoutFail({
          duration: callLimit,
          onTimeout: () => new VerifierError({ reason: `no verdict within ${Duration.format(callLimit)}` })
        })
      )
  }
})

const failed = (error: VerifierError | WorkerError | ParseResult.ParseError): VerifierError => {
  if (error._tag === "VerifierError") return error
  const { cause, message } = error
  return new VerifierError({ reason: cause instanceof Error ? `${message}: ${cause.message}` : message })
}
