import type { BlobPool } from "../../../src/devnet/chain/BlobPool.ts"
import type { CellBatch } from "../../../src/kzg/Kzg.ts"
import { Schema } from "effect"

/** What one call is about: so many blocks, each with so many blobs, and of each of them so many columns. */
export const Shape = Schema.Struct({
  blocks: Schema.Int,
  blobs: Schema.Int,
  columns: Schema.Int,
  /** Only so many of its cells. */
  cells: Schema.optional(Schema.Int)
})
export type Shape = typeof Shape.Type

/** The cells of such a call, column by column as sidecars have them. */
export const cellBatch = (pool: BlobPool, { blobs, blocks, cells = Infinity, columns }: Shape): CellBatch => {
  const batch: CellBatch = { commitments: [], indices: [], cells: [], proofs: [] }
  for (let block = 0; block < blocks; block++) {
    for (let place = 0; place < columns; place++) {
      const column = Math.floor((place * 128) / columns)
      for (let row = 0; row < blobs && batch.cells.length < cells; row++) {
        const blob = pool[(block * blobs + row) % pool.length]
        const cell = blob?.cells[column]
        const proof = blob?.proofs[column]
        if (blob === undefined || cell === undefined || proof === undefined) continue
        batch.commitments.push(blob.commitment)
        batch.indices.push(column)
        batch.cells.push(cell)
        batch.proofs.push(proof)
      }
    }
  }
  return batch
}
