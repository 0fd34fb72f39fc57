import { ssz as types } from "@lodestar/types"
import { Either } from "effect"
import { fromHex, toHex } from "../../src/domain/Bytes.ts"
import { computeForkDigest } from "../../src/domain/network/ForkDigest.ts"
import type { InvalidCheck } from "../../src/domain/probe/Outcome.ts"
import { peekSidecar } from "../../src/domain/column/Sidecar.ts"
import { type Evidence, evidenceVersion } from "../../src/evidence/Evidence.ts"
import type { SidecarToVerify } from "../../src/kzg/Verifier.ts"
import { changed, vector } from "../kzg/Columns.ts"

const network: Evidence["network"] = {
  name: "test",
  genesisValidatorsRoot: new Uint8Array(32).fill(3),
  forkVersion: Uint8Array.of(6, 0, 0, 1),
  blobLimitEpoch: 12
}

const peerId = "16Uiu2HAmSUYdtMsV74nupNNcEJefunDpPiDKjWiUU5PEvWo5Rt7g"

/** Evidence that says of a sidecar, truly or not, that it fails a check. */
export const accused = (sidecar: SidecarToVerify, check: InvalidCheck): Evidence => {
  const { index: column, slot } = Either.getOrThrow(peekSidecar(sidecar.fork, sidecar.ssz))
  const blob = { epoch: network.blobLimitEpoch ?? 0, maxBlobsPerBlock: sidecar.maxBlobsPerBlock }
  return {
    format: "dasmon evidence",
    version: evidenceVersion,
    program: "dasmon 0.0.0",
    accusation: { column, check, detail: "as the test says", judgedAt: Date.UTC(2026, 0, 2, 3, 4, 5, 678) },
    peer: { peerId, agent: "Nimbus/v26", address: "/ip4/127.0.0.1/tcp/9000" },
    request: {
      protocol: "/eth2/beacon_chain/req/data_column_sidecars_by_range/1/ssz_snappy",
      sentAt: Date.UTC(2026, 0, 2, 3, 4, 5),
      asked: { by: "range", startSlot: slot - 3, count: 32, columns: [0, column] }
    },
    chunk: {
      resultCode: 0,
      context: toHex(computeForkDigest(network.genesisValidatorsRoot, network.forkVersion, blob)),
      contextOf: null,
      ssz: sidecar.ssz
    },
    block: {
      slot,
      root: toHex(sidecar.blockRoot),
      fork: sidecar.fork,
      commitments: sidecar.commitments,
      maxBlobsPerBlock: sidecar.maxBlobsPerBlock
    },
    network
  }
}

const flip = (bytes: Uint8Array | undefined): void => {
  if (bytes !== undefined) bytes[40] = (bytes[40] ?? 0) ^ 1
}

/** A sidecar that nothing is wrong with. */
export const honest = vector("fulu", 63)

const fulu = (change: Parameters<typeof changed>[1]): SidecarToVerify => changed(honest, change)

const gloas = (change: (value: ReturnType<typeof types.gloas.DataColumnSidecar.deserialize>) => void) => {
  const sidecar = vector("gloas", 63)
  const value = types.gloas.DataColumnSidecar.deserialize(sidecar.ssz)
  change(value)
  return { ...sidecar, ssz: types.gloas.DataColumnSidecar.serialize(value) }
}

/** A sidecar for each way of failing, and the check that it fails. */
export const offences: ReadonlyArray<readonly [name: string, check: InvalidCheck, sidecar: SidecarToVerify]> = [
  ["a cell too few", "structure", fulu((value) => value.column.pop())],
  ["bytes that do not decode", "structure", { ...honest, ssz: honest.ssz.subarray(0, honest.ssz.length - 1) }],
  ["another block's header", "header", fulu((value) => (value.signedBlockHeader.message.proposerIndex = 1))],
  ["another commitment", "commitments", fulu((value) => (value.kzgCommitments[1] = fromHex(`0x${"ab".repeat(48)}`)))],
  [
    "a broken inclusion proof",
    "inclusion_proof",
    fulu((value) => flip(value.kzgCommitmentsInclusionProof[0]?.fill(9)))
  ],
  ["a wrong cell", "kzg_proof", fulu((value) => flip(value.column[2]))],
  ["a proof that is no point", "kzg_proof", fulu((value) => value.kzgProofs[0]?.fill(7))],
  ["a Gloas sidecar of another block", "header", gloas((value) => value.beaconBlockRoot.fill(1))],
  [
    "a Gloas sidecar with a cell too few",
    "commitments",
    gloas((value) => {
      value.column.pop()
      value.kzgProofs.pop()
    })
  ],
  ["a Gloas sidecar with a wrong cell", "kzg_proof", gloas((value) => flip(value.column[2]))]
]

/** A true accusation of which the rest is made up: who, when and how large. */
export const piece = (over: {
  readonly peer: string
  readonly at: number
  readonly column?: number
  readonly bytes?: number
}): Evidence => {
  const evidence = accused(honest, "kzg_proof")
  return {
    ...evidence,
    accusation: { ...evidence.accusation, judgedAt: over.at, column: over.column ?? 63 },
    peer: { ...evidence.peer, peerId: over.peer },
    chunk: { ...evidence.chunk, ssz: new Uint8Array(over.bytes ?? 100) }
  }
}
