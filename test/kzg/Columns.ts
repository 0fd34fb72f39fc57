import { readFileSync } from "node:fs"
import { type fulu, ssz as types } from "@lodestar/types"
import { fromHex } from "../../src/domain/Bytes.ts"
import { rootOfBranch } from "../../src/domain/column/Merkle.ts"
import type { SidecarToVerify } from "../../src/kzg/Verifier.ts"

const folder = new URL("../vectors/sidecars/six_blobs/", import.meta.url)
const meta: {
  readonly slot: number
  readonly block_root: string
  readonly kzg_commitments: ReadonlyArray<string>
} = JSON.parse(readFileSync(new URL("meta.json", folder), "utf8"))

/** The block of test/vectors/sidecars/six_blobs. */
const sixBlobs = {
  slot: meta.slot,
  blockRoot: fromHex(meta.block_root),
  commitments: meta.kzg_commitments.map(fromHex),
  maxBlobsPerBlock: 21
}

/** One of the four sidecars of that folder. */
export const vector = (fork: "fulu" | "gloas", column: 0 | 63): SidecarToVerify => ({
  fork,
  ssz: new Uint8Array(readFileSync(new URL(`${fork}_column_${column}.ssz`, folder))),
  ...sixBlobs
})

/** The same sidecar after a change to its decoded form. */
export const changed = (sidecar: SidecarToVerify, change: (value: fulu.DataColumnSidecar) => void): SidecarToVerify => {
  const value = types.fulu.DataColumnSidecar.deserialize(sidecar.ssz)
  change(value)
  return { ...sidecar, ssz: types.fulu.DataColumnSidecar.serialize(value) }
}

/** 128 columns of a Fulu block of one blob: true in everything but the proofs and the signature. */
export const unprovenColumns: ReadonlyArray<SidecarToVerify> = (() => {
  const commitments = [new Uint8Array(48).fill(5)]
  const branch = Array.from({ length: 4 }, (_, height) => new Uint8Array(32).fill(height + 1))
  const message = {
    slot: 320_000,
    proposerIndex: 7,
    parentRoot: new Uint8Array(32).fill(9),
    stateRoot: new Uint8Array(32).fill(8),
    bodyRoot: rootOfBranch(types.deneb.BlobKzgCommitments.hashTreeRoot(commitments), branch, 11)
  }
  return Array.from({ length: 128 }, (_, index) => ({
    fork: "fulu" as const,
    ssz: types.fulu.DataColumnSidecar.serialize({
      index,
      column: [new Uint8Array(2048).fill(1)],
      kzgCommitments: commitments,
      kzgProofs: [new Uint8Array(48)],
      signedBlockHeader: { message, signature: new Uint8Array(96) },
      kzgCommitmentsInclusionProof: branch
    }),
    blockRoot: types.phase0.BeaconBlockHeader.hashTreeRoot(message),
    slot: message.slot,
    commitments,
    maxBlobsPerBlock: 9
  }))
})()
