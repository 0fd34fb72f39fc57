import { Either, Schema } from "effect"
import { concatBytes } from "../Bytes.ts"
import { columnsToReconstruct, numberOfColumns } from "../network/Chain.ts"

/** A cell of the extended matrix, with its proof (MatrixEntry, fulu/das-core.md). */
interface MatrixEntry {
  /** 2048 bytes. */
  readonly cell: Uint8Array
  /** 48 bytes. */
  readonly kzgProof: Uint8Array
  readonly columnIndex: number
  /** The blob that it is of. */
  readonly rowIndex: number
}

/** Rows are blobs and have 128 columns; row-major. A part of it has the entries that are there, in the same order. */
export type Matrix = ReadonlyArray<MatrixEntry>

/** What the KZG library does for a blob. Throws on bytes that are no blob or cell. */
export interface CellKzg {
  /** The 48 bytes of its commitment (blob_to_kzg_commitment); some milliseconds of a core. */
  readonly commitmentOf: (blob: Uint8Array) => Uint8Array
  /** The 128 cells of a blob (131,072 bytes), and their proofs (compute_cells_and_kzg_proofs); some tenths of a second. */
  readonly computeCells: (blob: Uint8Array) => CellsAndProofs
  /** The same from 64 cells or more, by their columns, ascending (recover_cells_and_kzg_proofs); as long. */
  readonly recoverCells: (columns: ReadonlyArray<number>, cells: ReadonlyArray<Uint8Array>) => CellsAndProofs
}

/** 128 of each, in the order of the columns. */
interface CellsAndProofs {
  readonly cells: ReadonlyArray<Uint8Array>
  readonly proofs: ReadonlyArray<Uint8Array>
}

/** There are too few cells of a row, or too few columns of a block. */
export class NotRecoverable extends Schema.TaggedError<NotRecoverable>()("NotRecoverable", {
  /** Left out where every row lacks the same. */
  row: Schema.optional(Schema.Int),
  present: Schema.Int,
  /** The columns that are not there, ascending. */
  missing: Schema.Array(Schema.Int)
}) {
  override get message(): string {
    return this.row === undefined
      ? `there are ${this.present} of the ${columnsToReconstruct} columns that it takes to recover the block's blobs`
      : `blob ${this.row} has ${this.present} of the ${columnsToReconstruct} cells that it takes to recover it`
  }
}

/** compute_matrix (fulu/das-core.md): the whole matrix of the blobs of a block. */
export const computeMatrix = (kzg: CellKzg, blobs: ReadonlyArray<Uint8Array>): Matrix =>
  blobs.flatMap((blob, row) => rowOf(kzg.computeCells(blob), row))

/**
 * recover_matrix (fulu/das-core.md): the whole matrix of so many blobs from a part of it, which must be verified before: a
 * cell that is wrong makes others wrong. An entry that comes twice counts once, the first.
 */
export const recoverMatrix = (kzg: CellKzg, part: Matrix, blobs: number): Either.Either<Matrix, NotRecoverable> =>
  Either.map(Either.all(Array.from({ length: blobs }, (_, row) => recoverRow(kzg, part, row))), (rows) => rows.flat())

/** The blob that a row extends: its first half (131,072 bytes). */
export const blobOfRow = (matrix: Matrix, row: number): Uint8Array =>
  concatBytes(
    matrix.flatMap(({ cell, columnIndex, rowIndex }) =>
      rowIndex === row && columnIndex < columnsToReconstruct ? [cell] : []
    )
  )

const recoverRow = (kzg: CellKzg, part: Matrix, row: number): Either.Either<Matrix, NotRecoverable> => {
  const cells = new Map<number, Uint8Array>()
  for (const { cell, columnIndex, rowIndex } of part) {
    if (rowIndex === row && !cells.has(columnIndex)) cells.set(columnIndex, cell)
  }
  const columns = Array.from({ length: numberOfColumns }, (_, column) => column)
  const present = columns.filter((column) => cells.has(column))
  if (present.length < columnsToReconstruct) {
    const missing = columns.filter((column) => !cells.has(column))
    return Either.left(new NotRecoverable({ row, present: present.length, missing }))
  }
  const recovered = kzg.recoverCells(
    present,
    present.flatMap((column) => cells.get(column) ?? [])
  )
  return Either.right(rowOf(recovered, row))
}

const rowOf = ({ cells, proofs }: CellsAndProofs, rowIndex: number): Matrix =>
  cells.flatMap((cell, columnIndex) => {
    const kzgProof = proofs[columnIndex]
    return kzgProof === undefined ? [] : [{ cell, kzgProof, columnIndex, rowIndex }]
  })
