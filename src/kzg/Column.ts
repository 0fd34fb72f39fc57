import { Either, Option } from "effect"
import type { BlockFrames } from "../domain/column/BlockFrames.ts"
import { bytesPerProof } from "../domain/column/Sidecar.ts"
import { checkSidecar } from "../domain/column/SidecarCheck.ts"
import { viewSidecar } from "../domain/column/SidecarView.ts"
import { bytesPerCell } from "../domain/network/Chain.ts"
import type { SidecarToVerify, SidecarVerdict } from "./Verifier.ts"

/** A sidecar that passed every check but that of its proofs: what the KZG library is asked about. */
export interface Column {
  readonly index: number
  /** The block's, 48 bytes each: one array for all columns of a block. */
  readonly commitments: ReadonlyArray<Uint8Array>
  /** As they came: a cell and a proof for each commitment, one behind the other. */
  readonly cells: Uint8Array
  readonly proofs: Uint8Array
}

/** Everything but the proofs, and what failed if something did. `frames` spare hashes, as in `checkSidecar`. */
export const prepareColumn = (
  item: SidecarToVerify,
  frames?: BlockFrames
): Either.Either<Column, SidecarVerdict & { readonly _tag: "Invalid" }> =>
  viewSidecar(item.fork, item.ssz).pipe(
    Either.mapLeft(({ reason }) => ({ _tag: "Invalid" as const, check: "structure" as const, detail: reason })),
    Either.flatMap((sidecar) =>
      Option.match(checkSidecar(sidecar, item, frames), {
        onNone: () => {
          const { cells, index, proofs } = sidecar
          return Either.right({ index, commitments: item.commitments, cells, proofs })
        },
        onSome: (failed) => Either.left({ _tag: "Invalid" as const, ...failed })
      })
    )
  )

/** How many cells it has. */
export const cellCount = ({ commitments }: Column): number => commitments.length

/** Its cells and its proofs one by one, as views. */
export const cellViews = ({ cells }: Column): Array<Uint8Array> => slices(cells, bytesPerCell)
export const proofViews = ({ proofs }: Column): Array<Uint8Array> => slices(proofs, bytesPerProof)

const slices = (bytes: Uint8Array, size: number): Array<Uint8Array> => {
  const out: Array<Uint8Array> = []
  for (let at = 0; at < bytes.length; at += size) out.push(bytes.subarray(at, at + size))
  return out
}
