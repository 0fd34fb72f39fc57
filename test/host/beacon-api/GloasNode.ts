import { ssz } from "@lodestar/types"
import { toHex } from "../../../src/domain/Bytes.ts"
import { fakeNode, json } from "./FakeNode.ts"

export interface GloasOptions {
  /** Slots without a block. */
  readonly empty?: ReadonlyArray<number>
  /** Slots from Gloas on whose payload the next block is not built upon. */
  readonly withheld?: ReadonlyArray<number>
  /** Whether the node hashes the bodies of Gloas blocks in a way of its own. */
  readonly isForeign?: boolean
}

/** The first slot of Gloas; what is before is of Fulu. */
export const gloasStart = 32
/** The last slot with a block. */
export const headSlot = 44
/** The first slot with a block. */
const firstSlot = 27

/**
 * A node whose chain crosses from Fulu to Gloas, with two commitments a block: as Prysm it answers 500 for every blinded
 * block and for empty slots, and knows no envelopes.
 */
export const gloasNode = (options: GloasOptions = {}) => {
  const blocks = makeBlocks(options)
  const byRoot = new Map(blocks.map((block) => [block.root, block]))
  return fakeNode({
    handle: (path, request, response) => {
      if (path.endsWith("/beacon/genesis")) {
        json(response, {
          data: { genesis_time: "0", genesis_validators_root: zero, genesis_fork_version: "0x00000000" }
        })
        return true
      }
      if (path.endsWith("/spec")) {
        json(response, { data: { ELECTRA_FORK_EPOCH: "0", FULU_FORK_EPOCH: "0", GLOAS_FORK_EPOCH: "1" } })
        return true
      }
      const id = /\/headers\/(\w+)$/.exec(path)?.[1]
      const header = id === "head" ? blocks.at(-1) : byRoot.get(id ?? "")
      if (header !== undefined) {
        json(response, { data: { root: header.root, header: { message: header.header } } })
        return true
      }
      const slot = /\/(blinded_)?blocks\/(\w+)$/.exec(path)
      if (slot === null) return false
      const block = blocks.find((block) => String(block.slot) === slot[2])
      if (block === undefined || slot[1] !== undefined) {
        json(response, { code: 500, message: "could not retrieve blocks for slot" }, 500)
      } else if (block.slot % 2 === 0 || request.headers.accept === "application/json") {
        json(response, { version: block.version, data: block.json })
      } else {
        response.writeHead(200, { "content-type": "application/octet-stream", "eth-consensus-version": block.version })
        response.end(block.bytes)
      }
      return true
    }
  })
}

/** The roots of the node's blocks, as it tells them. */
export const rootsOf = (options: GloasOptions, from: number): ReadonlyArray<string> =>
  makeBlocks(options).flatMap(({ root, slot }) => (slot >= from ? [root] : []))

const zero = `0x${"00".repeat(32)}`

const makeBlocks = ({ empty = [], isForeign = false, withheld = [] }: GloasOptions) => {
  let parentRoot = new Uint8Array(32)
  let parentHash = new Uint8Array(32)
  const slots = Array.from({ length: headSlot - firstSlot + 1 }, (_, index) => firstSlot + index)
  return slots
    .filter((slot) => !empty.includes(slot))
    .map((slot) => {
      const fork = slot < gloasStart ? fuluBlock(slot, parentRoot) : gloasBlock(slot, parentRoot, parentHash)
      const foreignness = slot >= gloasStart && isForeign ? 1 : 0
      const header = {
        slot,
        proposerIndex: 7,
        parentRoot,
        stateRoot: new Uint8Array(32).fill(slot),
        bodyRoot: fork.bodyRoot.map((byte) => byte ^ foreignness)
      }
      parentRoot = Uint8Array.from(ssz.phase0.BeaconBlockHeader.hashTreeRoot(header))
      if (!withheld.includes(slot)) parentHash = blockHash(slot)
      return { slot, ...fork, root: toHex(parentRoot), header: ssz.phase0.BeaconBlockHeader.toJson(header) }
    })
}

const blockHash = (slot: number): Uint8Array<ArrayBuffer> => new Uint8Array(32).fill(100 + slot)

const commitmentsOf = (slot: number) => [1, 2].map((row) => new Uint8Array(48).fill(2 * slot + row))

const fuluBlock = (slot: number, parentRoot: Uint8Array) => {
  const signed = ssz.fulu.SignedBeaconBlock.defaultValue()
  const { message } = signed
  Object.assign(message, { slot, proposerIndex: 7, parentRoot, stateRoot: new Uint8Array(32).fill(slot) })
  message.body.blobKzgCommitments = commitmentsOf(slot)
  return {
    version: "fulu",
    bodyRoot: ssz.fulu.BeaconBlockBody.hashTreeRoot(message.body),
    bytes: ssz.fulu.SignedBeaconBlock.serialize(signed),
    json: ssz.fulu.SignedBeaconBlock.toJson(signed)
  }
}

const gloasBlock = (slot: number, parentRoot: Uint8Array, parentBlockHash: Uint8Array) => {
  const signed = ssz.gloas.SignedBeaconBlock.defaultValue()
  const { message } = signed
  Object.assign(message, { slot, proposerIndex: 7, parentRoot, stateRoot: new Uint8Array(32).fill(slot) })
  Object.assign(message.body.signedExecutionPayloadBid.message, {
    blobKzgCommitments: commitmentsOf(slot),
    blockHash: blockHash(slot),
    parentBlockHash
  })
  return {
    version: "gloas",
    bodyRoot: ssz.gloas.BeaconBlockBody.hashTreeRoot(message.body),
    bytes: ssz.gloas.SignedBeaconBlock.serialize(signed),
    json: ssz.gloas.SignedBeaconBlock.toJson(signed)
  }
}
