import type ckzg from "c-kzg"
import { Effect } from "effect"
import type { CellKzg } from "../domain/column/Matrix.ts"
import { messageOf } from "../domain/Text.ts"
import { VerifierError } from "./Verifier.ts"

/** The function of the KZG library that verification needs (verify_cell_kzg_proof_batch, fulu). */
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

/** The native library is loaded with the setup, so that a program that verifies elsewhere, or not at all, has none of it. */
const load = Effect.gen(function* () {
  const { default: library } = yield* Effect.tryPromise(() => import("c-kzg"))
  // No precomputation: it speeds up proving only.
  yield* Effect.try(() => library.loadTrustedSetup(0)).pipe(
    // The library holds one setup a thread, and someone else in this thread may have been first.
    Effect.catchIf(
      ({ error }) => messageOf(error).includes("already loaded"),
      () => Effect.void
    )
  )
  return { verifyCells: verifyCells(library), ...cellsOf(library) }
}).pipe(
  Effect.mapError(
    ({ error }) => new VerifierError({ reason: `the trusted setup cannot be loaded: ${messageOf(error)}` })
  ),
  // It is kept for all who ask, and so is an interruption.
  Effect.uninterruptible
)

/** The KZG library with the trusted setup of the ceremony. Loading takes 0.2 to 3 s of one core, once in each thread. */
export const loadKzg: Effect.Effect<Kzg & CellKzg, VerifierError> = Effect.runSync(Effect.cached(load))

const verifyCells =
  (library: typeof ckzg): Kzg["verifyCells"] =>
  ({ cells, commitments, indices, proofs }) =>
    asBadCells(() => library.verifyCellKzgProofBatch(commitments, indices, cells, proofs))

const cellsOf = (library: typeof ckzg): CellKzg => ({
  commitmentOf: (blob) => asBadCells(() => library.blobToKzgCommitment(blob)),
  computeCells: (blob) => named(asBadCells(() => library.computeCellsAndKzgProofs(blob))),
  recoverCells: (columns, cells) => {
    // The specification wants it so, and the library takes any order.
    if (columns.some((column, at) => at > 0 && column <= (columns[at - 1] ?? 0))) {
      throw new BadCells("the columns are not in ascending order, each once")
    }
    return named(asBadCells(() => library.recoverCellsAndKzgProofs([...columns], [...cells])))
  }
})

/** Anything else than bad input is a failure of ours: no memory, no setup. */
const asBadCells = <A>(call: () => A): A => {
  try {
    return call()
  } catch (error) {
    throw messageOf(error).includes("C_KZG_BADARGS") ? new BadCells(messageOf(error)) : error
  }
}

const named = ([cells, proofs]: [ReadonlyArray<Uint8Array>, ReadonlyArray<Uint8Array>]) => ({ cells, proofs })
