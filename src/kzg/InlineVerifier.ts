import { Effect, Layer } from "effect"
import { verifyInBatches } from "./Batches.ts"
import { loadKzg } from "./Kzg.ts"
import { Verifier } from "./Verifier.ts"
import { verifySidecars } from "./VerifySidecars.ts"

/**
 * Verifies in the calling thread, which stands still meanwhile: for tests and for hosts without worker threads. Fails
 * with `VerifierError` when the trusted setup cannot be loaded.
 */
export const layerInline = Layer.effect(
  Verifier,
  Effect.map(loadKzg, (kzg) => ({
    verify: (sidecars, options = {}) =>
      verifyInBatches(sidecars, options, 1, (batch, mostGuilty) => verifySidecars(kzg, batch, mostGuilty))
  }))
)
