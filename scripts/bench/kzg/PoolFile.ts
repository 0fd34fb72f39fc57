import { readFileSync, writeFileSync } from "node:fs"
import type { BlobPool } from "../../../src/devnet/chain/BlobPool.ts"
import { concatBytes } from "../../../src/domain/Bytes.ts"
import { bytesPerCell, numberOfColumns } from "../../../src/domain/network/Chain.ts"

/** Keeps blobs in a file: a process that measures one library need not have loaded the one that makes them. */
export const writePool = (path: string, pool: BlobPool): void =>
  writeFileSync(path, concatBytes(pool.flatMap(({ cells, commitment, proofs }) => [commitment, ...cells, ...proofs])))

export const readPool = (path: string): BlobPool => {
  const bytes = new Uint8Array(readFileSync(path))
  let offset = 0
  // Copies: what a library is given has a buffer of its own.
  const take = (length: number): Uint8Array => bytes.slice(offset, (offset += length))
  const takeAll = (length: number) => Array.from({ length: numberOfColumns }, () => take(length))
  const blobs = bytes.length / (pointBytes + numberOfColumns * (bytesPerCell + pointBytes))
  return Array.from({ length: blobs }, () => ({
    commitment: take(pointBytes),
    cells: takeAll(bytesPerCell),
    proofs: takeAll(pointBytes)
  }))
}

const pointBytes = 48
