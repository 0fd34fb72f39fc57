import { Effect, Layer } from "effect"
import { makeBlockFrames } from "../domain/column/BlockFrames.ts"
import { fewCells, mostCells, verifyInBatches } from "./Batches.ts"
import { loadKzg } from "./Kzg.ts"
import { Verifier } from "./Verifier.ts"
import { verifyColumns } from "./VerifyColumns.ts"
import { prepareSidecars } from "./VerifySidecars.ts"

/**
 * Verifies in the calling thread, which stands still meanwhile: for tests and for hosts without worker threads. Fails
 * with `VerifierError` when the trusted setup cannot be loaded.
 */
export const layerInline = Layer.effect(
  Verifier,
  Effect.map(loadKzg, (kzg) => {
    const frames = makeBlockFrames()
    return {
      verify: (sidecars, { isLast = false, mostGuilty } = {}) =>
        Effect.flatMap(prepareSidecars(sidecars, mostGuilty, frames), (prepared) => {
          const cells = isLast ? fewCells : mostCells
          return Effect.map(
            verifyInBatches(prepared, cells, (batch) => verifyColumns(kzg, [batch])),
            prepared.withProofs
          )
        })
    }
  })
)
