import { crc32c } from "@node-rs/crc32"
import { Either, Option } from "effect"
import { concatBytes, fromHex, toHex } from "../../domain/Bytes.ts"
import type { Block } from "../../domain/network/Block.ts"
import { type BlockProof, provenRoot } from "../../domain/network/BlockProof.ts"
import { type ForkName, forkNames } from "../../domain/network/Chain.ts"
import { slotBit, tileSlots, tileStart } from "../../domain/network/Tile.ts"

/** A block that can be kept: it is proven, and settled what its payload came to. */
type ProvenBlock = Block & { readonly proof: BlockProof }

export const isProven = (block: Block): block is ProvenBlock => block.proof !== undefined && block.payload !== "unknown"

/**
 * A tile as bytes, by the blocks that are in its 32 slots, ascending; each but the first has the one before it as its parent.
 * Roots are not written but for the first parent and the newest block: the others follow.
 *
 * u8 version, u32 which slots have a block, 32 bytes the first one's parent, 32 bytes the newest one's root; then each block;
 * then u32 CRC-32C over all before. Little-endian.
 */
export const encodeTile = (blocks: ReadonlyArray<ProvenBlock>): Uint8Array => {
  const head = new Uint8Array(headBytes)
  const slots = blocks.reduce((word, { slot }) => word | slotBit(slot), 0)
  head[0] = version
  new DataView(head.buffer).setInt32(1, slots, true)
  head.set(fromHex(blocks[0]?.parentRoot ?? zeroRoot), 5)
  head.set(fromHex(blocks.at(-1)?.root ?? zeroRoot), 37)
  const body = concatBytes([head, ...blocks.map(encodeBlock)])
  const sum = new Uint8Array(4)
  new DataView(sum.buffer).setUint32(0, crc32c(body), true)
  return concatBytes([body, sum])
}

/**
 * The blocks of a tile. Their roots are computed again from the headers and commitments, down to the newest, so that they are
 * those of the chain if that one is. A sentence for what is not a tile, or not whole.
 */
export const decodeTile = (tile: number, bytes: Uint8Array): Either.Either<ReadonlyArray<Block>, string> => {
  if (bytes.length < headBytes + 4 || bytes[0] !== version) return Either.left("it is not of this version")
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const end = bytes.length - 4
  if (view.getUint32(end, true) !== crc32c(bytes.subarray(0, end))) return Either.left("its checksum is wrong")
  const slots = view.getInt32(1, true)
  const blocks: Array<Block> = []
  let at = headBytes
  let parentRoot = toHex(bytes.subarray(5, 37))
  for (let slot = tileStart(tile); slot < tileStart(tile) + tileSlots; slot++) {
    if ((slots & slotBit(slot)) === 0) continue
    const read = decodeBlock(bytes, view, at, end)
    if (read === undefined) return Either.left("it is cut off")
    const block = { ...read.block, slot, parentRoot, root: provenRoot({ ...read.block, slot, parentRoot }) }
    blocks.push(block)
    parentRoot = block.root
    at = read.next
  }
  const newest = toHex(bytes.subarray(37, 69))
  return at === end && (blocks.at(-1)?.root ?? zeroRoot) === newest
    ? Either.right(blocks)
    : Either.left("its blocks do not come to the root that it has of them")
}

const version = 1
const headBytes = 69
/** u8 fork, u8 flags, u16 commitments, u64 proposer. */
const blockHeadBytes = 12
const zeroRoot = `0x${"00".repeat(32)}`

const isFull = 1
const isSigned = 2
/** The branch stands in place of the body root, which follows from it. */
const isBranched = 4
const branchLength = 4

const encodeBlock = (block: ProvenBlock): Uint8Array => {
  const { branch, bodyRoot, proposerIndex, stateRoot } = block.proof
  const head = new Uint8Array(blockHeadBytes)
  const view = new DataView(head.buffer)
  const branched = branch.length === branchLength
  head[0] = forkNames.indexOf(block.fork)
  head[1] =
    (block.payload === "full" ? isFull : 0) |
    (Option.isSome(block.signature) ? isSigned : 0) |
    (branched ? isBranched : 0)
  view.setUint16(2, block.commitments.length, true)
  view.setBigUint64(4, BigInt(proposerIndex), true)
  return concatBytes([
    head,
    stateRoot,
    ...(branched ? branch : [bodyRoot]),
    ...Option.toArray(block.signature),
    ...block.commitments
  ])
}

/** What is written of a block: not where it is. */
interface WrittenBlock extends Omit<ProvenBlock, "slot" | "root" | "parentRoot"> {
  readonly fork: ForkName
}

const decodeBlock = (
  bytes: Uint8Array,
  view: DataView,
  start: number,
  end: number
): { readonly block: WrittenBlock; readonly next: number } | undefined => {
  if (start + blockHeadBytes > end) return undefined
  const fork = forkNames[view.getUint8(start)]
  const flags = view.getUint8(start + 1)
  const count = view.getUint16(start + 2, true)
  const roots = 1 + (flags & isBranched ? branchLength : 1)
  const signatureBytes = flags & isSigned ? 96 : 0
  const rootsAt = start + blockHeadBytes
  const signatureAt = rootsAt + roots * 32
  const commitmentsAt = signatureAt + signatureBytes
  const next = commitmentsAt + count * 48
  if (fork === undefined || next > end) return undefined
  const root = (index: number): Uint8Array => bytes.subarray(rootsAt + index * 32, rootsAt + (index + 1) * 32)
  return {
    next,
    block: {
      fork,
      payload: flags & isFull ? "full" : "empty",
      signature: signatureBytes === 0 ? Option.none() : Option.some(bytes.subarray(signatureAt, commitmentsAt)),
      commitments: Array.from({ length: count }, (_, row) =>
        bytes.subarray(commitmentsAt + row * 48, commitmentsAt + (row + 1) * 48)
      ),
      proof: {
        proposerIndex: Number(view.getBigUint64(start + 4, true)),
        stateRoot: root(0),
        // Of no use where there is a branch to compute it from.
        bodyRoot: root(1),
        branch: flags & isBranched ? Array.from({ length: branchLength }, (_, height) => root(1 + height)) : []
      }
    }
  }
}
