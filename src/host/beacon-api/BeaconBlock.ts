import { ssz } from "@lodestar/types"
import { Either, Option } from "effect"
import type { Block } from "../../domain/network/Block.ts"
import type { Root } from "../../domain/Primitives.ts"
import { concatBytes, toHex } from "../../domain/Bytes.ts"
import { type ChainParameters, epochOf, forkAt, type ForkName, forkNames } from "../../domain/network/Chain.ts"
import { messageOf } from "../../domain/Text.ts"
import { type BodyProof, proverOf } from "./BodyProof.ts"

/** A block as the Beacon API writes it; `blinded` says that it has the payload's header in place of the payload. */
export type EncodedBlock =
  | {
      readonly _tag: "Ssz"
      readonly bytes: Uint8Array
      readonly version: string | undefined
      readonly blinded: boolean
    }
  | { readonly _tag: "Json"; readonly json: unknown; readonly version: string | undefined; readonly blinded: boolean }

/** What is read of a block. Whether a Gloas payload was revealed is not in it: that its child tells. */
export interface DecodedBlock extends Omit<Block, "payload"> {
  readonly proposerIndex: number
  readonly stateRoot: Root
  /** From Gloas on: the payload that is bid for, and the one that it is built upon. */
  readonly bid: Option.Option<Bid>
}

interface Bid {
  /** Hashes of execution blocks, as `0x…`. */
  readonly blockHash: string
  readonly parentBlockHash: string
}

/**
 * Decodes a signed block and computes its root; both are worth nothing to each other if they do not come from the same
 * bytes. Fails with a sentence.
 */
export const decodeBlock = (chain: ChainParameters, encoded: EncodedBlock): Either.Either<DecodedBlock, string> => {
  const fork = encoded.version === undefined ? forkOfSlot(chain, encoded) : knownFork(encoded.version)
  if (fork === undefined) return Either.left(`a block of an unknown fork (${encoded.version ?? "not said"})`)
  const reader = encoded.blinded ? (blinded[fork] ?? whole[fork]) : whole[fork]
  return Either.try({
    try: () => reader(encoded, fork),
    catch: (error) => `the ${fork} block cannot be read: ${messageOf(error)}`
  }).pipe(
    Either.filterOrLeft(
      (block) => forkAt(chain, epochOf(chain, block.slot)).name === fork,
      (block) => `a ${fork} block at slot ${block.slot}, which is not in that fork`
    )
  )
}

/** The root of a header in JSON form, as `0x…`. */
export const headerRoot = (header: {
  readonly slot: number
  readonly proposerIndex: number
  readonly parentRoot: Uint8Array
  readonly stateRoot: Uint8Array
  readonly bodyRoot: Uint8Array
}): string => toHex(ssz.phase0.BeaconBlockHeader.hashTreeRoot({ ...header }))

/** Whether there is a form of the fork's blocks without their payloads. */
export const hasBlindedForm = (fork: ForkName): boolean => blinded[fork] !== undefined

interface Message {
  readonly slot: number
  readonly proposerIndex: number
  readonly parentRoot: Uint8Array
  readonly stateRoot: Uint8Array
  readonly body: object
}

interface Signed<M> {
  readonly message: M
  readonly signature: Uint8Array
}

type Reader = (encoded: EncodedBlock, fork: ForkName) => DecodedBlock

const reader =
  <M extends Message>(
    signed: {
      readonly deserialize: (bytes: Uint8Array) => Signed<M>
      readonly fromJson: (json: unknown) => Signed<M>
    },
    unsigned: { readonly hashTreeRoot: (message: M) => Uint8Array },
    commitments: (message: M) => ReadonlyArray<Uint8Array>,
    proofOf: (message: M) => BodyProof | undefined = () => undefined,
    bid: (message: M) => Option.Option<Bid> = Option.none
  ): Reader =>
  (encoded, fork) => {
    const { message, signature } =
      encoded._tag === "Ssz" ? signed.deserialize(encoded.bytes) : signed.fromJson(encoded.json)
    const proof = proofOf(message)
    return {
      slot: message.slot,
      root: proof === undefined ? toHex(unsigned.hashTreeRoot(message)) : headerRoot({ ...message, ...proof }),
      parentRoot: toHex(message.parentRoot),
      stateRoot: toHex(message.stateRoot),
      proposerIndex: message.proposerIndex,
      fork,
      ...compact(signature, commitments(message), proof && { ...message, ...proof }),
      bid: bid(message)
    }
  }

const whole: Readonly<Record<ForkName, Reader>> = {
  phase0: reader(ssz.phase0.SignedBeaconBlock, ssz.phase0.BeaconBlock, () => []),
  altair: reader(ssz.altair.SignedBeaconBlock, ssz.altair.BeaconBlock, () => []),
  bellatrix: reader(ssz.bellatrix.SignedBeaconBlock, ssz.bellatrix.BeaconBlock, () => []),
  capella: reader(ssz.capella.SignedBeaconBlock, ssz.capella.BeaconBlock, () => []),
  deneb: reader(
    ssz.deneb.SignedBeaconBlock,
    ssz.deneb.BeaconBlock,
    (block) => block.body.blobKzgCommitments,
    proverOf(ssz.deneb.BeaconBlockBody)
  ),
  electra: reader(
    ssz.electra.SignedBeaconBlock,
    ssz.electra.BeaconBlock,
    (block) => block.body.blobKzgCommitments,
    proverOf(ssz.electra.BeaconBlockBody)
  ),
  fulu: reader(
    ssz.fulu.SignedBeaconBlock,
    ssz.fulu.BeaconBlock,
    (block) => block.body.blobKzgCommitments,
    proverOf(ssz.fulu.BeaconBlockBody)
  ),
  gloas: reader(
    ssz.gloas.SignedBeaconBlock,
    ssz.gloas.BeaconBlock,
    (block) => block.body.signedExecutionPayloadBid.message.blobKzgCommitments,
    ({ body }) => ({ bodyRoot: ssz.gloas.BeaconBlockBody.hashTreeRoot(body), branch: [] }),
    (block) => {
      const { blockHash, parentBlockHash } = block.body.signedExecutionPayloadBid.message
      return Option.some({ blockHash: toHex(blockHash), parentBlockHash: toHex(parentBlockHash) })
    }
  )
}

/** Forks with payloads inside the block; the others have nothing to leave out. */
const blinded: Readonly<Partial<Record<ForkName, Reader>>> = {
  bellatrix: reader(ssz.bellatrix.SignedBlindedBeaconBlock, ssz.bellatrix.BlindedBeaconBlock, () => []),
  capella: reader(ssz.capella.SignedBlindedBeaconBlock, ssz.capella.BlindedBeaconBlock, () => []),
  deneb: reader(
    ssz.deneb.SignedBlindedBeaconBlock,
    ssz.deneb.BlindedBeaconBlock,
    (block) => block.body.blobKzgCommitments,
    proverOf(ssz.deneb.BlindedBeaconBlockBody)
  ),
  electra: reader(
    ssz.electra.SignedBlindedBeaconBlock,
    ssz.electra.BlindedBeaconBlock,
    (block) => block.body.blobKzgCommitments,
    proverOf(ssz.electra.BlindedBeaconBlockBody)
  ),
  fulu: reader(
    ssz.fulu.SignedBlindedBeaconBlock,
    ssz.fulu.BlindedBeaconBlock,
    (block) => block.body.blobKzgCommitments,
    proverOf(ssz.fulu.BlindedBeaconBlockBody)
  )
}

const knownFork = (version: string): ForkName | undefined =>
  forkNames.find((name) => name === version.trim().toLowerCase())

/** SignedBeaconBlock: a 4-byte offset, a 96-byte signature, then the message, which starts with its slot. */
const slotOffset = 100

const forkOfSlot = (chain: ChainParameters, encoded: EncodedBlock): ForkName | undefined => {
  if (encoded._tag === "Json" || encoded.bytes.length < slotOffset + 8) return undefined
  const { buffer, byteLength, byteOffset } = encoded.bytes
  const slot = new DataView(buffer, byteOffset, byteLength).getBigUint64(slotOffset, true)
  return forkAt(chain, epochOf(chain, Number(slot))).name
}

/** All in one buffer of their own, so that keeping them does not keep the block. */
const compact = (
  signature: Uint8Array,
  commitments: ReadonlyArray<Uint8Array>,
  proof: (Pick<Message, "stateRoot" | "proposerIndex"> & BodyProof) | undefined
): Pick<Block, "signature" | "commitments" | "proof"> => {
  const roots = proof === undefined ? [] : [proof.stateRoot, proof.bodyRoot, ...proof.branch]
  const bytes = concatBytes([signature, ...commitments, ...roots])
  const rootsAt = 96 + commitments.length * 48
  const root = (index: number): Uint8Array => bytes.subarray(rootsAt + index * 32, rootsAt + (index + 1) * 32)
  return {
    signature: Option.some(bytes.subarray(0, 96)),
    commitments: commitments.map((_, row) => bytes.subarray(96 + row * 48, 144 + row * 48)),
    proof: proof && {
      proposerIndex: proof.proposerIndex,
      stateRoot: root(0),
      bodyRoot: root(1),
      branch: proof.branch.map((_, height) => root(2 + height))
    }
  }
}
