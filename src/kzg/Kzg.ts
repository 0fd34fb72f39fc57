import ckzg from "c-kzg"
import { Effect } from "effect"
import { VerifierError } from "./Verifier.ts"
import { messageOf } from "../domain/Text.ts"

/** The one function of the KZG library that verification needs (verify_cell_kzg_proof_batch, fulu). */
export interface Kzg {
  /**
   * Whether every cell belongs to its commitment; entry by entry the four lists speak of one cell. Throws
   * `BadCells` when bytes are no points or field elements, and anything else when the library itself fails. Synchronous:
   * about 0.1 ms a cell and 4 ms a call.
   */
  readonly verifyCells: (batch: CellBatch) => boolean
}

/** Lists of equal length. */
export interface CellBatch {
  /** 48 bytes each. */
  readonly commitments: Array<Uint8Array>
  /** Columns, 0 to 127. */
  readonly indices: Array<number>
  /** 2048 bytes each. */
  readonly cells: Array<Uint8Array>
  /** 48 bytes each. */
  readonly proofs: Array<Uint8Array>
}

/** Input that cannot be verified, whatever the setup: points not on the curve, field elements above the modulus. */
export class BadCells extends Error {}

const load = Effect.try({
  try: (): Kzg => {
    try {
      // No precomputation: it speeds up proving only.
      ckzg.loadTrustedSetup(0)
    } catch (error) {
      // The library holds one setup a thread, and someone else in this thread may have been first.
      if (!messageOf(error).includes("already loaded")) throw error
    }
    return { verifyCells }
  },
  catch: (error) => new VerifierError({ reason: `the trusted setup cannot be loaded: ${messageOf(error)}` })
})

/** The KZG library with the trusted setup of the ceremony. Loading takes 0.2 to 3 s of one core, once in each thread. */
export const loadKzg: Effect.Effect<Kzg, VerifierError> = Effect.runSync(Effect.cached(load))

const verifyCells = ({ cells, commitments, indices, proofs }: CellBatch): boolean => {
  try {
    return ckzg.verifyCellKzgProofBatch(commitments, indices, cells, proofs)
  } catch (error) {
    // Anything else than bad input is a failure of ours: no memory, no setup.
    throw messageOf(error).includes("C_KZG_BADARGS") ? new BadCells(messageOf(error)) : error
  }
}
