import { Effect, Either } from "effect"
import type { BlockFrames } from "../domain/column/BlockFrames.ts"
import { makeYielder } from "../runtime/YieldNow.ts"
import { type Column, prepareColumn } from "./Column.ts"
import type { Kzg } from "./Kzg.ts"
import { isGuilty, type SidecarToVerify, type SidecarVerdict, skipped } from "./Verifier.ts"
import { verifyColumns } from "./VerifyColumns.ts"

/**
 * One verdict a sidecar, in the same order; what passes every other check goes to `verifyColumns`. Once `mostGuilty` are
 * found, whatever is not decided by then is skipped.
 */
export const verifySidecars = Effect.fnUntraced(function* (
  kzg: Kzg,
  sidecars: ReadonlyArray<SidecarToVerify>,
  mostGuilty = Infinity
) {
  const prepared = yield* prepareSidecars(sidecars, mostGuilty)
  return prepared.withProofs(yield* verifyColumns(kzg, [prepared]))
})

/** Sidecars of a call that were held against their blocks; `columns` are those whose proofs are to be verified. */
export interface Prepared {
  readonly columns: ReadonlyArray<Column>
  /** Guilty ones that may still be found among them. */
  readonly mostGuilty: number
  /** The verdicts of all sidecars, with those of the columns. */
  readonly withProofs: (verdicts: ReadonlyArray<SidecarVerdict>) => ReadonlyArray<SidecarVerdict>
}

/**
 * Everything but the proofs of a call's sidecars, as far as there is room for guilty ones. A tenth of a millisecond each
 * where a peer gives every one a header of its own, so others get their turn in between.
 */
export const prepareSidecars = Effect.fnUntraced(function* (
  sidecars: ReadonlyArray<SidecarToVerify>,
  mostGuilty = Infinity,
  frames?: BlockFrames
): Effect.fn.Return<Prepared> {
  const yieldNow = makeYielder(3)
  const columns: Array<Column> = []
  let left = mostGuilty
  const prepare = (item: SidecarToVerify): SidecarVerdict | undefined => {
    if (left <= 0) return skipped
    const prepared = prepareColumn(item, frames)
    if (Either.isRight(prepared)) {
      columns.push(prepared.right)
      return undefined
    }
    if (isGuilty(prepared.left)) left--
    return prepared.left
  }
  const failed: Array<SidecarVerdict | undefined> = []
  for (const [at, item] of sidecars.entries()) {
    failed.push(prepare(item))
    if (at % stride === stride - 1) yield* yieldNow
  }
  return {
    columns,
    mostGuilty: left,
    withProofs: (verdicts) => {
      let next = 0
      return failed.map((verdict) => verdict ?? verdicts[next++] ?? skipped)
    }
  }
})

/** Sidecars between two looks at how long this has taken. */
const stride = 8
