import { Either } from "effect"
import { uncompressSync } from "snappy"
import { WireError } from "./WireError.ts"

/** What a raw snappy block says that it inflates to, in bytes; `undefined` if that is not a 32-bit varint. */
export const blockLength = (block: Uint8Array): number | undefined => {
  let value = 0
  for (let index = 0; index < 5; index++) {
    const byte = block[index]
    if (byte === undefined) return undefined
    value += (byte & 0x7f) * 2 ** (7 * index)
    if (byte < 0x80) return value < 2 ** 32 ? value : undefined
  }
  return undefined
}

/**
 * The data of a raw block, in a buffer of its own, whatever its size: look at `blockLength` before. `undefined` if it cannot
 * be inflated.
 */
export const inflateBlock = (block: Uint8Array): Uint8Array | undefined => {
  try {
    const plain = uncompressSync(block, copied)
    return typeof plain === "string" ? undefined : plain
  } catch {
    return undefined
  }
}

/** By default the module hands over memory of its own, which costs five to twenty times what it costs to copy it. */
export const copied = { asBuffer: true, copyOutputData: true }

/** The data of a raw block that has at most `most` bytes; nothing of another is inflated. */
export const decodeBlock = (block: Uint8Array, most: number): Either.Either<Uint8Array, WireError> => {
  const length = blockLength(block)
  if (length === undefined) return failed("bad_block", "the block has no readable length")
  if (length > most) return failed("length_out_of_bounds", `a block of ${length} bytes, allowed is ${most}`)
  const plain = inflateBlock(block)
  return plain === undefined || plain.length !== length
    ? failed("bad_block", "the block cannot be inflated")
    : Either.right(plain)
}

const failed = (reason: WireError["reason"], detail: string) => Either.left(new WireError({ reason, detail }))
