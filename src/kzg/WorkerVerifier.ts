import { Duration, Effect, Layer, Option } from "effect"
import { makeBlockFrames } from "../domain/column/BlockFrames.ts"
import { fewCells, mediumCells, verifyInBatches } from "./Batches.ts"
import { makeGather } from "./Gather.ts"
import { KzgThreads, type KzgThreadsOptions } from "./KzgThreads.ts"
import { type SidecarToVerify, skipped, Verifier, VerifierError, type VerifyOptions } from "./Verifier.ts"
import { packBatch } from "./VerifierMessage.ts"
import type { ColumnGroup } from "./VerifyColumns.ts"
import { type Prepared, prepareSidecars } from "./VerifySidecars.ts"

export interface WorkerVerifierOptions {
  /** For a whole call, waiting for a free thread included. Default 60 s. */
  readonly callLimit?: Duration.DurationInput
  /** How long a batch that comes last waits for its turn before it is skipped. Default 20 s. */
  readonly lastLimit?: Duration.DurationInput
}

/**
 * Verifies in worker threads of its own. Fails with `VerifierError` when no thread can be started; whoever recovers as well
 * builds `KzgThreads` for both, and `layer` over it.
 */
export const layerWorkers = (
  options: WorkerVerifierOptions & KzgThreadsOptions = {}
): Layer.Layer<Verifier, VerifierError> => Layer.provide(layer(options), KzgThreads.layer(options))

/**
 * Verifies in the worker threads that there are.
 *
 * Callers share batches; those that come last have small ones of their own. One batch is on each thread and the rest
 * waits, uncopied, with the callers: what is copied at any time is a batch a thread. A batch whose thread dies is tried
 * once more, caller by caller.
 */
export const layer = (options: WorkerVerifierOptions = {}): Layer.Layer<Verifier, never, KzgThreads> =>
  Layer.scoped(Verifier, make(options))

const make = Effect.fnUntraced(function* (options: WorkerVerifierOptions) {
  const callLimit = Duration.decode(options.callLimit ?? "60 seconds")
  const lastLimit = Duration.decode(options.lastLimit ?? "20 seconds")
  const threads = yield* KzgThreads

  const runBatch = (groups: ReadonlyArray<ColumnGroup>) =>
    // That of several callers is tried once more by the gatherer, each for itself.
    threads.run((thread) => thread.executeEffect(packBatch(groups)), groups.length > 1 ? 0 : 1)
  const lastInTurn = (batch: ColumnGroup) =>
    Effect.map(
      threads.lastInTurn(runBatch([batch]), lastLimit),
      Option.getOrElse(() => batch.columns.map(() => skipped))
    )
  const gather = yield* makeGather({ atOnce: threads.size, inTurn: threads.inTurn, run: runBatch })
  const background = yield* makeGather({
    atOnce: 1,
    cells: mediumCells,
    isPatient: true,
    // Whoever waits has a limit of its own.
    inTurn: (run) =>
      Effect.flatMap(threads.lastInTurn(run, callLimit), Option.match({ onSome: Effect.succeed, onNone: () => run })),
    run: runBatch
  })
  /** Those whose turn does not come in time are skipped. */
  const inBackground = (prepared: Prepared) =>
    Effect.timeoutTo(background.verify(prepared), {
      duration: lastLimit,
      onSuccess: (verdicts) => verdicts,
      onTimeout: () => prepared.columns.map(() => skipped)
    })
  const verifyIn = (prepared: Prepared, { inBackground: isBehind, isLast }: VerifyOptions) => {
    if (isLast === true) return verifyInBatches(prepared, fewCells, lastInTurn)
    return isBehind === true ? inBackground(prepared) : gather.verify(prepared)
  }
  const frames = makeBlockFrames()

  return {
    verify: (sidecars: ReadonlyArray<SidecarToVerify>, options: VerifyOptions = {}) =>
      Effect.flatMap(prepareSidecars(sidecars, options.mostGuilty, frames), (prepared) =>
        Effect.map(verifyIn(prepared, options), prepared.withProofs)
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
