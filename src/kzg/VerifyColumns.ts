import { Effect } from "effect"
import { bytesPerCell } from "../domain/network/Chain.ts"
import { messageOf } from "../domain/Text.ts"
import { cellViews, type Column, proofViews } from "./Column.ts"
import { BadCells, type CellBatch, type Kzg } from "./Kzg.ts"
import { type SidecarVerdict, skipped, valid, VerifierError } from "./Verifier.ts"

/** Columns of one caller. */
export interface ColumnGroup {
  readonly columns: ReadonlyArray<Column>
  /** Once so many of them are guilty, the rest of the group is skipped. */
  readonly mostGuilty: number
}

/**
 * One verdict a column, in the order of the groups. All go into one KZG batch; when that fails it is halved, where groups
 * meet as long as there are several, until the guilty columns stand alone: one call when all are good, O(k log n) when k
 * of n are bad. A yield between calls lets an interruption through.
 *
 * Fails when the library does, and when a block's commitments are no points: then nobody can be judged by them.
 */
export const verifyColumns = Effect.fnUntraced(function* (kzg: Kzg, groups: ReadonlyArray<ColumnGroup>) {
  const entries = groups.flatMap(({ columns, mostGuilty }) => {
    const group = { left: mostGuilty }
    return columns.map((column): Entry => ({
      index: column.index,
      commitments: column.commitments,
      cells: cellViews(column),
      proofs: proofViews(column),
      group,
      verdict: skipped
    }))
  })
  yield* findGuilty(kzg, entries, false)
  return entries.map(({ verdict }) => verdict)
})

interface Entry {
  readonly index: number
  readonly commitments: ReadonlyArray<Uint8Array>
  readonly cells: ReadonlyArray<Uint8Array>
  readonly proofs: ReadonlyArray<Uint8Array>
  /** Guilty ones that may still be found in its group, the same object for all of it. */
  readonly group: { left: number }
  verdict: SidecarVerdict
}

/**
 * Decides on the entries, and gives how many of them are guilty. `suspect` means that one of them is known to be guilty;
 * the last word on a column is always a call of its own.
 */
const findGuilty: (kzg: Kzg, given: ReadonlyArray<Entry>, suspect: boolean) => Effect.Effect<number, VerifierError> =
  Effect.fnUntraced(function* (kzg, given, suspect) {
    const entries = given.filter(({ group }) => group.left > 0)
    const [first, second] = entries
    if (first === undefined) return 0
    if (second === undefined) return yield* judge(kzg, first)
    if (!suspect && (yield* callKzg(kzg, entries)) === "holds") {
      for (const entry of entries) entry.verdict = valid
      return 0
    }
    const middle = middleOf(entries)
    const left = entries.slice(0, middle)
    const found = yield* findGuilty(kzg, left, false)
    // Nothing on the left: then the fault is on the right, and no call is needed to know.
    const isRight = found === 0 && left.every(({ verdict }) => verdict === valid)
    return found + (yield* findGuilty(kzg, entries.slice(middle), isRight))
  })

/** Where to halve: at the border of two groups that is nearest to the middle, if there is one. */
const middleOf = (entries: ReadonlyArray<Entry>): number => {
  const middle = Math.ceil(entries.length / 2)
  const isBorder = (at: number): boolean => at > 0 && entries[at]?.group !== entries[at - 1]?.group
  for (let far = 0; far < middle; far++) {
    if (middle + far < entries.length && isBorder(middle + far)) return middle + far
    if (isBorder(middle - far)) return middle - far
  }
  return middle
}

/** 1 if it is guilty. */
const judge = Effect.fnUntraced(function* (kzg: Kzg, entry: Entry) {
  const blame = (detail: string): number => {
    entry.verdict = { _tag: "Invalid", check: "kzg_proof", detail }
    entry.group.left--
    return 1
  }
  switch (yield* callKzg(kzg, [entry])) {
    case "holds":
      entry.verdict = valid
      return 0
    case "fails":
      return blame(`the proofs of its ${entry.cells.length} cells do not hold`)
    case "bad bytes": {
      const probe = { ...entry, cells: entry.cells.map(() => zeroCell), proofs: entry.proofs.map(() => infinity) }
      if ((yield* callKzg(kzg, [probe])) === "bad bytes") {
        return yield* new VerifierError({ reason: "the commitments of the canonical block are no points on the curve" })
      }
      return blame("its cells or proofs are no field elements or points on the curve")
    }
  }
})

const callKzg = (kzg: Kzg, entries: ReadonlyArray<Entry>): Effect.Effect<KzgResult, VerifierError> =>
  Effect.zipRight(
    letOthersIn,
    Effect.try({
      try: (): KzgResult => (kzg.verifyCells(cellBatchOf(entries)) ? "holds" : "fails"),
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

const cellBatchOf = (entries: ReadonlyArray<Entry>): CellBatch => {
  const batch: CellBatch = { commitments: [], indices: [], cells: [], proofs: [] }
  for (const { cells, commitments, index, proofs } of entries) {
    batch.commitments.push(...commitments)
    batch.cells.push(...cells)
    batch.proofs.push(...proofs)
    for (let row = 0; row < cells.length; row++) batch.indices.push(index)
  }
  return batch
}

/** Effect's own yield does not let messages in; this does. */
export const letOthersIn = Effect.async<void>((resume) => {
  const handle = setImmediate(() => resume(Effect.void))
  return Effect.sync(() => clearImmediate(handle))
})

const zeroCell = new Uint8Array(bytesPerCell)
/** The point at infinity, compressed. */
const infinity = Uint8Array.of(0xc0, ...new Uint8Array(47))
