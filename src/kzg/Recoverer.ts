import { Context, type Effect, Schema } from "effect"
import type { Matrix, NotRecoverable } from "../domain/column/Matrix.ts"
import { bytesPerProof } from "../domain/column/Sidecar.ts"
import { bytesPerCell, columnsToReconstruct, numberOfColumns } from "../domain/network/Chain.ts"
import type { Block } from "../domain/network/Block.ts"
import type { VerifierError } from "./Verifier.ts"

/** A column that is not the block's, and why. */
export const BadColumn = Schema.Struct({ column: Schema.Int, detail: Schema.String })
export type BadColumn = typeof BadColumn.Type

/** Some of the columns are wrong, and without them there are too few. */
export class BadColumns extends Schema.TaggedError<BadColumns>()("BadColumns", {
  bad: Schema.Array(BadColumn),
  /** Those that are right. */
  present: Schema.Int,
  /** The columns that were not given, ascending; without the bad ones. */
  missing: Schema.Array(Schema.Int)
}) {
  override get message(): string {
    const named = this.bad.map(({ column, detail }) => `column ${column} is wrong (${detail})`).join(", ")
    return `${named}; without it there are ${this.present} of the ${columnsToReconstruct} columns that it takes to recover`
  }
}

/** A row of a block's matrix, every cell of it proven to be its commitment's. */
export interface RecoveredRow {
  readonly row: number
  /** The 128 cells, 2048 bytes each. */
  readonly cells: Uint8Array
  /** Their 128 proofs, 48 bytes each. */
  readonly proofs: Uint8Array
  /** 131,072 bytes: the first half of the cells, a view of them. */
  readonly blob: Uint8Array
}

export interface Recovered {
  /** In the order in which they were asked for. */
  readonly rows: ReadonlyArray<RecoveredRow>
  /** Columns that were given and turned out wrong; nothing of `rows` comes of them. */
  readonly bad: ReadonlyArray<BadColumn>
}

/** A blob, proven to be its commitment's. */
export interface ProvenBlob {
  readonly row: number
  /** 131,072 bytes. */
  readonly blob: Uint8Array
}

export interface Blobs {
  /** In the order in which they were asked for. */
  readonly blobs: ReadonlyArray<ProvenBlob>
  /** Whether it took a recovery: not where the columns 0 to 63 are all there. */
  readonly isRecovered: boolean
  readonly bad: ReadonlyArray<BadColumn>
}

/** Sidecars of one block by their columns, as they came (SSZ). They should be verified; what is not is found out. */
export type ColumnsOfBlock = ReadonlyMap<number, Uint8Array>

export type RecoverError = NotRecoverable | BadColumns | VerifierError

/**
 * Computes what is missing of a block from the columns that are there. Nothing is given that is not proven against the
 * block's commitments. `rows` are those of its blobs, all if left out.
 *
 * Where a row does not come out as its commitment says, the columns are verified one by one, the wrong ones are named, and
 * the others used instead as long as they are 64; else it fails with `BadColumns`. With fewer than 64 to begin with it
 * fails with `NotRecoverable`, before anything is computed.
 */
export class Recoverer extends Context.Tag("dasmon/Recoverer")<
  Recoverer,
  {
    /** All 128 cells of each row and their proofs: 0.4 s of a core a row. */
    readonly recover: (
      block: Block,
      columns: ColumnsOfBlock,
      rows?: ReadonlyArray<number>
    ) => Effect.Effect<Recovered, RecoverError>
    /** The blobs alone, which takes no recovery where the columns 0 to 63 are all there: 10 ms of a core a blob then. */
    readonly blobs: (
      block: Block,
      columns: ColumnsOfBlock,
      rows?: ReadonlyArray<number>
    ) => Effect.Effect<Blobs, RecoverError>
  }
>() {}

/** Recovered rows as entries of the block's matrix: views, nothing is copied. */
export const matrixOf = (rows: ReadonlyArray<RecoveredRow>): Matrix =>
  rows.flatMap(({ cells, proofs, row }) =>
    Array.from({ length: numberOfColumns }, (_, column) => ({
      cell: cells.subarray(column * bytesPerCell, (column + 1) * bytesPerCell),
      kzgProof: proofs.subarray(column * bytesPerProof, (column + 1) * bytesPerProof),
      columnIndex: column,
      rowIndex: row
    }))
  )
