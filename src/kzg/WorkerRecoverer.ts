import { Duration, Effect, Layer } from "effect"
import { fewCells, verifyInBatches } from "./Batches.ts"
import { KzgThreads } from "./KzgThreads.ts"
import { Recoverer } from "./Recoverer.ts"
import { makeRecoverer } from "./RecoverColumns.ts"
import { packBlob, packRow } from "./RowMessage.ts"
import { VerifierError } from "./Verifier.ts"
import { packBatch } from "./VerifierMessage.ts"

export interface WorkerRecovererOptions {
  /** How long one row may wait for its turn: verifying comes first. Default 60 s. */
  readonly turnLimit?: Duration.DurationInput
}

/**
 * Recovers in the threads of the verifier, row by row, whenever nobody waits for a verdict, on gossip neither: a verdict waits for the one row
 * that is under way at most.
 */
export const layer = (options: WorkerRecovererOptions = {}): Layer.Layer<Recoverer, never, KzgThreads> =>
  Layer.effect(
    Recoverer,
    Effect.map(KzgThreads, (threads) => {
      const turnLimit = Duration.decode(options.turnLimit ?? "60 seconds")
      const inTurn = <A>(run: Effect.Effect<A, VerifierError>): Effect.Effect<A, VerifierError> =>
        threads.lastInTurn(run, turnLimit, true).pipe(
          Effect.flatten,
          Effect.catchTag(
            "NoSuchElementException",
            () => new VerifierError({ reason: `no thread was free to recover within ${Duration.format(turnLimit)}` })
          ),
          // Who gives up does not wait for the row that is under way.
          Effect.disconnect
        )
      return makeRecoverer({
        atOnce: threads.lastAtOnce,
        recover: (row) => inTurn(threads.run((worker) => worker.executeEffect(packRow(row)))),
        check: (claim) => inTurn(threads.run((worker) => worker.executeEffect(packBlob(claim)))),
        verify: (columns) =>
          verifyInBatches({ columns, mostGuilty: Infinity }, fewCells, (batch) =>
            inTurn(threads.run((worker) => worker.executeEffect(packBatch([batch]))))
          )
      })
    })
  )
