import { Effect, Layer } from "effect"
import { fewCells, verifyInBatches } from "./Batches.ts"
import { loadKzg } from "./Kzg.ts"
import { holdsBlob, recoverRow } from "./ProveRow.ts"
import { Recoverer } from "./Recoverer.ts"
import { makeRecoverer } from "./RecoverColumns.ts"
import { letOthersIn, verifyColumns } from "./VerifyColumns.ts"

/**
 * Recovers in the calling thread, which stands still for 0.4 s a row: for tests and for hosts without worker threads.
 * Fails with `VerifierError` when the trusted setup cannot be loaded.
 */
export const layerInline = Layer.effect(
  Recoverer,
  Effect.map(loadKzg, (kzg) =>
    makeRecoverer({
      atOnce: 1,
      recover: (row) => Effect.zipRight(letOthersIn, recoverRow(kzg, row)),
      check: (claim) => Effect.zipRight(letOthersIn, holdsBlob(kzg, claim)),
      verify: (columns) =>
        verifyInBatches({ columns, mostGuilty: Infinity }, fewCells, (batch) => verifyColumns(kzg, [batch]))
    })
  )
)
