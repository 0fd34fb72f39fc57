import { Effect } from "effect"
import { concatBytes, equalBytes } from "../domain/Bytes.ts"
import type { CellKzg } from "../domain/column/Matrix.ts"
import { numberOfColumns } from "../domain/network/Chain.ts"
import { messageOf } from "../domain/Text.ts"
import { BadCells, type Kzg } from "./Kzg.ts"
import { VerifierError } from "./Verifier.ts"

/** Cells of one blob. */
export interface RowPart {
  /** 48 bytes. */
  readonly commitment: Uint8Array
  /** Ascending, each once; 64 at least. */
  readonly columns: ReadonlyArray<number>
  /** One a column, 2048 bytes each. */
  readonly cells: ReadonlyArray<Uint8Array>
}

/** A blob (131,072 bytes), and the commitment (48) that it should have. */
export interface BlobClaim {
  readonly commitment: Uint8Array
  readonly blob: Uint8Array
}

/**
 * The 128 cells of a row and then their 128 proofs, in one buffer, every one of them held against the commitment; null where
 * the cells lead to no such row, because one of them at least is wrong. About 0.4 s of the calling thread, 5 % of them
 * for the check.
 */
export const recoverRow = (
  kzg: Kzg & CellKzg,
  { cells, columns, commitment }: RowPart
): Effect.Effect<Uint8Array | null, VerifierError> =>
  orElse(null, () => {
    const row = kzg.recoverCells(columns, cells)
    const holds = kzg.verifyCells({
      commitments: allColumns.map(() => commitment),
      indices: allColumns,
      cells: [...row.cells],
      proofs: [...row.proofs]
    })
    return holds ? concatBytes([...row.cells, ...row.proofs]) : null
  })

/** Whether it is the blob of its commitment. About 10 ms of the calling thread. */
export const holdsBlob = (kzg: CellKzg, { blob, commitment }: BlobClaim): Effect.Effect<boolean, VerifierError> =>
  orElse(false, () => equalBytes(kzg.commitmentOf(blob), commitment))

/** `bad` for bytes that the library cannot read; any other failure of it is nobody's fault. */
const orElse = <A, B>(bad: B, evaluate: () => A): Effect.Effect<A | B, VerifierError> =>
  Effect.try({ try: evaluate, catch: (error) => error }).pipe(
    Effect.catchAll((error) =>
      error instanceof BadCells ? Effect.succeed(bad) : new VerifierError({ reason: messageOf(error) })
    )
  )

const allColumns = Array.from({ length: numberOfColumns }, (_, column) => column)
