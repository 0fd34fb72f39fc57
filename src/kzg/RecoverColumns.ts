import { Effect, Either } from "effect"
import { concatBytes, fromHex } from "../domain/Bytes.ts"
import { makeBlockFrames } from "../domain/column/BlockFrames.ts"
import { NotRecoverable } from "../domain/column/Matrix.ts"
import type { Block } from "../domain/network/Block.ts"
import { bytesPerCell, columnsToReconstruct, numberOfColumns } from "../domain/network/Chain.ts"
import { type Column, prepareColumn } from "./Column.ts"
import type { BlobClaim, RowPart } from "./ProveRow.ts"
import {
  type BadColumn,
  BadColumns,
  type Blobs,
  type ColumnsOfBlock,
  type Recovered,
  type RecoveredRow,
  type RecoverError,
  type Recoverer
} from "./Recoverer.ts"
import { type SidecarVerdict, VerifierError } from "./Verifier.ts"

/** What a recoverer leaves to whoever has the KZG library. */
export interface RowWork {
  /** Rows at work at once. */
  readonly atOnce: number
  /** As `recoverRow`. */
  readonly recover: (row: RowPart) => Effect.Effect<Uint8Array | null, VerifierError>
  /** As `holdsBlob`. */
  readonly check: (claim: BlobClaim) => Effect.Effect<boolean, VerifierError>
  /** One verdict a column. */
  readonly verify: (columns: ReadonlyArray<Column>) => Effect.Effect<ReadonlyArray<SidecarVerdict>, VerifierError>
}

export const makeRecoverer = (work: RowWork): Recoverer["Type"] => {
  const recover = Effect.fn("Recoverer.recover")(function* (
    block: Block,
    given: ColumnsOfBlock,
    rows: ReadonlyArray<number> = rowsOf(block)
  ): Effect.fn.Return<Recovered, RecoverError> {
    const columns = yield* prepare(block, given)
    const recovered = yield* proveRows(columns, rows, (row) => {
      const used = columns.good.slice(0, columnsToReconstruct)
      const part = {
        commitment: block.commitments[row] ?? nothing,
        columns: used.map(({ index }) => index),
        cells: used.map(({ cells }) => cellAt(cells, row))
      }
      return Effect.map(work.recover(part), (bytes) => (bytes === null ? null : rowFrom(row, bytes)))
    })
    return { rows: recovered, bad: columns.bad }
  })

  const blobs = Effect.fn("Recoverer.blobs")(function* (
    block: Block,
    given: ColumnsOfBlock,
    rows: ReadonlyArray<number> = rowsOf(block)
  ): Effect.fn.Return<Blobs, RecoverError> {
    const columns = yield* prepare(block, given)
    let isRecovered = false
    const proven = yield* proveRows(columns, rows, (row) => {
      const commitment = block.commitments[row] ?? nothing
      const first = columns.good.slice(0, columnsToReconstruct)
      const cells = first.map(({ cells }) => cellAt(cells, row))
      if (first.every(({ index }) => index < columnsToReconstruct)) {
        const blob = concatBytes(cells)
        return Effect.map(work.check({ commitment, blob }), (holds) => (holds ? { row, blob } : null))
      }
      isRecovered = true
      return Effect.map(work.recover({ commitment, columns: first.map(({ index }) => index), cells }), (bytes) =>
        bytes === null ? null : { row, blob: rowFrom(row, bytes).blob }
      )
    })
    return { blobs: proven, isRecovered, bad: columns.bad }
  })

  /** Tries the rows until all are proven, each time without the columns that turned out wrong. */
  const proveRows = <A>(
    columns: Columns,
    rows: ReadonlyArray<number>,
    prove: (row: number) => Effect.Effect<A | null, VerifierError>
  ): Effect.Effect<ReadonlyArray<A>, RecoverError> =>
    Effect.gen(function* () {
      const proven = new Map<number, A>()
      while (true) {
        const open = rows.filter((row) => !proven.has(row))
        yield* Effect.forEach(
          open,
          (row) => Effect.map(prove(row), (found) => found !== null && proven.set(row, found)),
          { concurrency: work.atOnce, discard: true }
        )
        if (rows.every((row) => proven.has(row))) break
        yield* sortOut(columns)
      }
      return rows.flatMap((row) => proven.get(row) ?? [])
    })

  /** Finds the wrong columns: there is at least one, or the library is not to be trusted. */
  const sortOut = Effect.fnUntraced(function* (columns: Columns) {
    const verdicts = yield* work.verify(columns.good)
    const good: Array<Column> = []
    for (const [at, column] of columns.good.entries()) {
      const verdict = verdicts[at]
      if (verdict?._tag === "Valid") good.push(column)
      else if (verdict?._tag === "Invalid") columns.bad.push({ column: column.index, detail: verdict.detail })
      else return yield* new VerifierError({ reason: `column ${column.index} could not be verified in time` })
    }
    if (good.length === columns.good.length) {
      return yield* new VerifierError({ reason: "what was computed from columns that all hold is not the block's" })
    }
    columns.good = good
    yield* enough(columns)
  })

  return { recover, blobs }
}

/** Columns of a block; the wrong ones go from the good to the bad. */
interface Columns {
  /** In ascending order, each held against the block in everything but its proofs. */
  good: ReadonlyArray<Column>
  readonly bad: Array<BadColumn>
  readonly missing: ReadonlyArray<number>
}

const prepare = (block: Block, given: ColumnsOfBlock): Effect.Effect<Columns, NotRecoverable | BadColumns> => {
  const expected = {
    fork: block.fork,
    blockRoot: fromHex(block.root),
    slot: block.slot,
    commitments: block.commitments,
    maxBlobsPerBlock: block.commitments.length
  }
  const good: Array<Column> = []
  const bad: Array<BadColumn> = []
  const frames = makeBlockFrames(1)
  for (const [column, ssz] of [...given].sort(([a], [b]) => a - b)) {
    const prepared = prepareColumn({ ...expected, ssz }, frames)
    if (Either.isLeft(prepared)) bad.push({ column, detail: prepared.left.detail })
    else if (prepared.right.index !== column) bad.push({ column, detail: `it is column ${prepared.right.index}` })
    else good.push(prepared.right)
  }
  const missing = Array.from({ length: numberOfColumns }, (_, column) => column).filter((column) => !given.has(column))
  return enough({ good, bad, missing })
}

const enough = (columns: Columns): Effect.Effect<Columns, NotRecoverable | BadColumns> => {
  const { bad, good, missing } = columns
  if (good.length >= columnsToReconstruct) return Effect.succeed(columns)
  return bad.length > 0
    ? new BadColumns({ bad, present: good.length, missing })
    : new NotRecoverable({ present: good.length, missing })
}

const rowsOf = ({ commitments }: Block): ReadonlyArray<number> => commitments.map((_, row) => row)

const cellAt = (cells: Uint8Array, row: number): Uint8Array =>
  cells.subarray(row * bytesPerCell, (row + 1) * bytesPerCell)

const rowFrom = (row: number, bytes: Uint8Array): RecoveredRow => {
  const cells = bytes.subarray(0, numberOfColumns * bytesPerCell)
  return { row, cells, proofs: bytes.subarray(cells.length), blob: cells.subarray(0, cells.length / 2) }
}

const nothing = new Uint8Array(0)
