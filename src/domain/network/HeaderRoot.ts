import { merkleRoot } from "../column/Merkle.ts"

/** Bytes (SSZ) of a BeaconBlockHeader: slot, proposer index, parent root, state root, body root. */
export const headerBytes = 112

/** hash_tree_root of a BeaconBlockHeader, from its SSZ: the 32 bytes of the block's root. */
export const headerRoot = (header: Uint8Array): Uint8Array =>
  merkleRoot(
    [
      chunk(header.subarray(0, 8)),
      chunk(header.subarray(8, 16)),
      header.subarray(16, 48),
      header.subarray(48, 80),
      header.subarray(80, headerBytes)
    ],
    depth
  )

/** Five fields. */
const depth = 3

const chunk = (bytes: Uint8Array): Uint8Array => {
  const out = new Uint8Array(32)
  out.set(bytes)
  return out
}
