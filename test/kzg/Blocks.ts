import { Effect, Option } from "effect"
import { makeBlobPool } from "../../src/devnet/chain/BlobPool.ts"
import { encodeSidecar, makeBlock, sidecarOf } from "../../src/devnet/chain/DevBlock.ts"
import { devnetParameters } from "../../src/devnet/DevnetParameters.ts"
import { concatBytes } from "../../src/domain/Bytes.ts"
import type { Block } from "../../src/domain/network/Block.ts"

const poolOnce = Effect.runSync(Effect.cached(makeBlobPool(11, 3)))

/** A block of so many blobs, three at most, whose columns all verify, and what they are made of. */
export const provenBlock = Effect.fnUntraced(function* (fork: "fulu" | "gloas", blobs: number) {
  const pool = yield* poolOnce
  const parts = { seed: 1, slot: 100, parentRoot: new Uint8Array(32), parentHash: new Uint8Array(32), variant: 0 }
  const rows = Array.from({ length: blobs }, (_, row) => row)
  const made = makeBlock(devnetParameters(1, 2000, 0), pool, { ...parts, blobs: rows })
  const { commitments, root, slot } = made
  const block: Block = {
    slot,
    root,
    fork,
    commitments,
    parentRoot: "0x",
    signature: Option.none(),
    payload: "full"
  }
  return {
    block,
    /** All cells, all proofs, and the blob of a row. */
    row: (row: number) => {
      const { cells = [], proofs = [] } = pool[row] ?? {}
      return { cells: concatBytes(cells), proofs: concatBytes(proofs), blob: concatBytes(cells.slice(0, 64)) }
    },
    columns: (columns: ReadonlyArray<number>): Map<number, Uint8Array> =>
      new Map(columns.map((column) => [column, encodeSidecar(fork, sidecarOf(pool, made, column))]))
  }
})
