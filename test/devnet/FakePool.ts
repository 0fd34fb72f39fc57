import { publicKeyOf } from "../../src/bls/Bls.ts"
import type { BlobPool } from "../../src/devnet/chain/BlobPool.ts"

/** Twelve blobs whose cells prove nothing, with commitments of nothing: for tests of what does not look into cells. */
export const fakePool: BlobPool = Array.from({ length: 12 }, (_, blob) => ({
  commitment: publicKeyOf(Uint8Array.of(...new Uint8Array(31), blob + 1)),
  cells: Array.from({ length: 128 }, (_, column) => new Uint8Array(2048).fill(column)),
  proofs: Array.from({ length: 128 }, () => new Uint8Array(48).fill(blob))
}))
