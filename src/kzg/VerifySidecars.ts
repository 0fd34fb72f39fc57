import { Effect, Either, Option } from "effect"
import { bytesPerCell } from "../domain/network/Chain.ts"
import { decodeSidecar, type Sidecar } from "../domain/column/Sidecar.ts"
import { checkSidecar } from "../domain/column/SidecarCheck.ts"
import { isGuilty, skipped } from "./Batches.ts"
import { BadCells, type CellBatch, type Kzg } from "./Kzg.ts"
import { type SidecarToVerify, type SidecarVerdict, VerifierError } from "./Verifier.ts"
import { messageOf } from "../domain/Text.ts"

/**
 * One verdict a sidecar, in the same order. What passes every other check goes into one KZG batch; when that fails, it
 * is halved until the guilty columns stand alone: one call when all are good, O(k log n) when k of n are bad. Once
 * `mostGuilty` are found, whatever is not decided by then is skipped. A yield between calls lets an interruption through.
 *
 * Fails when the library does, and when the block's commitments are no points: then nobody can be judged by them.
 */
export const verifySidecars = Effect.fnUntraced(function* (
  kzg: Kzg,
  sidecars: ReadonlyArray<SidecarToVerify>,
  mostGuilty = Infinity
) {
  const prepared = sidecars.map(prepare)
  const columns = prepared.flatMap((entry) => (Either.isRight(entry) ? [entry.right] : []))
  const known = prepared.filter((entry) => Either.isLeft(entry) && isGuilty(entry.left)).length
  const found: Found = { guilty: new Map(), sound: new Set(), most: mostGuilty - known }
  yield* findGuilty(kzg, columns, false, found)
  return prepared.map(
    Either.match({
      onLeft: (verdict) => verdict,
      onRight: (column): SidecarVerdict => {
        const detail = found.guilty.get(column)
        if (detail !== undefined) return { _tag: "Invalid", check: "kzg_proof", detail }
        return found.sound.has(column) ? { _tag: "Valid" } : skipped
      }
    })
  )
})

/** A column that passed every check but that of its proofs: its part of a batch. */
interface Column {
  readonly index: number
  readonly commitments: ReadonlyArray<Uint8Array>
  readonly cells: ReadonlyArray<Uint8Array>
  readonly proofs: ReadonlyArray<Uint8Array>
}

const prepare = (item: SidecarToVerify): Either.Either<Column, SidecarVerdict> =>
  decodeSidecar(item.fork, item.ssz).pipe(
    Either.mapLeft((error): SidecarVerdict => ({ _tag: "Invalid", check: "structure", detail: error.reason })),
    Either.flatMap((sidecar) =>
      Option.match(checkSidecar(sidecar, item), {
        onNone: () => Either.right(columnOf(sidecar, item)),
        onSome: (failed): Either.Either<Column, SidecarVerdict> => Either.left({ _tag: "Invalid", ...failed })
      })
    )
  )

const columnOf = ({ value }: Sidecar, { commitments }: SidecarToVerify): Column => ({
  index: value.index,
  commitments,
  cells: value.column,
  proofs: value.kzgProofs
})

/** What is decided so far. */
interface Found {
  /** The columns whose proofs do not hold, each with a sentence. */
  readonly guilty: Map<Column, string>
  readonly sound: Set<Column>
  /** With so many guilty ones it is enough. */
  readonly most: number
}

/**
 * Decides on the columns, and gives how many of them are guilty. `suspect` means that one of them is known to be guilty;
 * the last word on a column is always a call of its own.
 */
const findGuilty: (
  kzg: Kzg,
  columns: ReadonlyArray<Column>,
  suspect: boolean,
  found: Found
) => Effect.Effect<number, VerifierError> = Effect.fnUntraced(function* (kzg, columns, suspect, found) {
  const [first, second] = columns
  if (first === undefined || found.guilty.size >= found.most) return 0
  if (second === undefined) return yield* judge(kzg, first, found)
  if (!suspect && (yield* callKzg(kzg, columns)) === "holds") {
    for (const column of columns) found.sound.add(column)
    return 0
  }
  const middle = Math.ceil(columns.length / 2)
  const left = yield* findGuilty(kzg, columns.slice(0, middle), false, found)
  // Nothing on the left: then the fault is on the right, and no call is needed to know.
  return left + (yield* findGuilty(kzg, columns.slice(middle), left === 0, found))
})

/** 1 if it is guilty. */
const judge = Effect.fnUntraced(function* (kzg: Kzg, column: Column, found: Found) {
  const blame = (detail: string): number => {
    found.guilty.set(column, detail)
    return 1
  }
  switch (yield* callKzg(kzg, [column])) {
    case "holds":
      found.sound.add(column)
      return 0
    case "fails":
      return blame(`the proofs of its ${column.cells.length} cells do not hold`)
    case "bad bytes": {
      const probe = { ...column, cells: column.cells.map(() => zeroCell), proofs: column.proofs.map(() => infinity) }
      if ((yield* callKzg(kzg, [probe])) === "bad bytes") {
        return yield* new VerifierError({ reason: "the commitments of the canonical block are no points on the curve" })
      }
      return blame("its cells or proofs are no field elements or points on the curve")
    }
  }
})

const callKzg = (kzg: Kzg, columns: ReadonlyArray<Column>): Effect.Effect<KzgResult, VerifierError> =>
  Effect.zipRight(
    eventLoopTurn,
    Effect.try({
      try: (): KzgResult => (kzg.verifyCells(cellBatchOf(columns)) ? "holds" : "fails"),
      catch: (error) => error
    }).pipe(
      Effect.catchAll((error) =>
        error instanceof BadCells
          ? Effect.succeed<KzgResult>("bad bytes")
          : new VerifierError({ reason: messageOf(error) })
      )
    )
  )

type KzgResult = "holds" | "fails" | "bad bytes"

const cellBatchOf = (columns: ReadonlyArray<Column>): CellBatch => ({
  commitments: columns.flatMap((column) => column.commitments),
  indices: columns.flatMap((column) => column.cells.map(() => column.index)),
  cells: columns.flatMap((column) => column.cells),
  proofs: columns.flatMap((column) => column.proofs)
})

/** Effect's own yield does not let messages in; this does. */
const eventLoopTurn = Effect.async<void>((resume) => {
  const handle = setImmediate(() => resume(Effect.void))
  return Effect.sync(() => clearImmediate(handle))
})

const zeroCell = new Uint8Array(bytesPerCell)
/** The point at infinity, compressed. */
const infinity = Uint8Array.of(0xc0, ...new Uint8Array(47))
