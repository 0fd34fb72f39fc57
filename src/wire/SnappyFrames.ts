import { crc32c } from "@node-rs/crc32"
import { Either } from "effect"
import { compressSync } from "snappy"
import { concatBytes, equalBytes } from "../domain/Bytes.ts"
import { blockLength, inflateBlock } from "./SnappyBlock.ts"
import { WireError } from "./WireError.ts"

/** Data of one frame before compression, at most (framing_format.txt of snappy, "4.2"). */
const maxFrameData = 65_536

/** Bytes that the frames of `ssz` bytes may take: 32 + n + n/6 (phase0/p2p-interface.md). */
const maxFrameBytes = (ssz: number): number => 32 + ssz + Math.floor(ssz / 6)

/** `data` as a snappy frame stream; nothing at all for no data. */
export const encodeFrames = (data: Uint8Array): Uint8Array => {
  if (data.length === 0) return data
  const parts: Array<Uint8Array> = [streamIdentifier]
  for (let offset = 0; offset < data.length; offset += maxFrameData) {
    const block = data.subarray(offset, offset + maxFrameData)
    const compressed = compressSync(block)
    const smaller = compressed.length < block.length
    parts.push(frameHeader(smaller ? compressedFrame : plainFrame, block, smaller ? compressed : block))
    parts.push(smaller ? compressed : block)
  }
  return concatBytes(parts)
}

/** Reads the frames of one message, in any split. */
export interface FrameDecoder {
  /**
   * Takes what it needs from `bytes`, from `offset` on, and gives the offset behind it. It takes nothing after the last
   * byte of the message: what follows belongs to the next one.
   */
  readonly push: (bytes: Uint8Array, offset: number) => Either.Either<number, WireError>
  /** The message, once it is whole. */
  readonly data: () => Uint8Array | undefined
}

/**
 * A decoder for a message of `length` bytes. It never holds more than `length` bytes and one frame: every length is
 * checked before anything of that size is kept or inflated.
 */
export const makeFrameDecoder = (length: number): FrameDecoder => {
  let data = noBytes
  let filled = 0
  let budget = maxFrameBytes(length)
  let identified = false
  const header = new Uint8Array(4)
  let headerFilled = 0
  /** The frame that is being read; `undefined` between frames. */
  let body: FrameBody | undefined

  const whole = (): boolean => filled === length

  const startFrame = (): WireError | undefined => {
    const type = header[0] ?? 0
    const size = (header[1] ?? 0) | ((header[2] ?? 0) << 8) | ((header[3] ?? 0) << 16)
    if (!identified && type !== identifierFrame) {
      return failure("bad_stream_identifier", `the frames start with type ${hexByte(type)}`)
    }
    if (type === identifierFrame && size !== 6) {
      return failure("bad_stream_identifier", `the identifier has ${size} bytes`)
    }
    if (type >= 0x02 && type <= 0x7f) return failure("unskippable_frame", `frame type ${hexByte(type)}`)
    if (isData(type)) {
      if (size < checksumSize) return failure("frame_too_short", `a data frame of ${size} bytes`)
      const most = type === plainFrame ? maxFrameData : maxBlockBytes(maxFrameData)
      if (size - checksumSize > most) return failure("frame_too_long", `a data frame of ${size} bytes`)
    }
    budget -= header.length + size
    if (budget < 0) return tooManyFrameBytes(length)
    body = { type, size, taken: 0, buffer: undefined }
    return undefined
  }

  const endFrame = (frame: FrameBody, content: Uint8Array): WireError | undefined => {
    if (frame.type === identifierFrame) {
      if (!equalBytes(content, streamIdentifier.subarray(4))) {
        return failure("bad_stream_identifier", "the identifier is not sNaPpY")
      }
      identified = true
      return undefined
    }
    const block = content.subarray(checksumSize)
    const size = frame.type === plainFrame ? block.length : blockLength(block)
    if (size === undefined) return failure("bad_block", "the block has no readable length")
    if (size > maxFrameData) return failure("frame_too_long", `a block of ${size} bytes`)
    if (size > length - filled) {
      return failure("frame_exceeds_length", `a block of ${size} bytes where ${length - filled} are left of ${length}`)
    }
    const plain = frame.type === plainFrame ? block : inflateBlock(block)
    if (plain === undefined || plain.length !== size) return failure("bad_block", "the block cannot be inflated")
    if (maskedChecksum(plain) !== littleEndian32(content)) return failure("bad_checksum", "CRC-32C does not match")
    // Made once the first frame has proved that there is something to hold.
    if (data.length === 0) data = new Uint8Array(length)
    data.set(plain, filled)
    filled += size
    return undefined
  }

  const push = (bytes: Uint8Array, start: number): Either.Either<number, WireError> => {
    let offset = start
    while (offset < bytes.length && !whole()) {
      if (body === undefined) {
        header[headerFilled++] = bytes[offset++] ?? 0
        if (headerFilled < header.length) continue
        headerFilled = 0
        const error = startFrame()
        if (error !== undefined) return Either.left(error)
        if (body === undefined) continue
      }
      const taken = takeBody(body, bytes, offset)
      offset += taken.bytes
      if (!taken.complete) continue
      const frame = body
      body = undefined
      if (taken.content === undefined) continue
      const error = endFrame(frame, taken.content)
      if (error !== undefined) return Either.left(error)
    }
    return Either.right(offset)
  }

  return { push, data: () => (whole() ? data : undefined) }
}

interface FrameBody {
  readonly type: number
  readonly size: number
  taken: number
  /** Holds a frame that comes in more than one piece. */
  buffer: Uint8Array | undefined
}

/** Takes what `bytes` have of the frame; the content when it is complete, without a copy if it came in one piece. */
const takeBody = (
  frame: FrameBody,
  bytes: Uint8Array,
  offset: number
): { readonly bytes: number; readonly complete: boolean; readonly content: Uint8Array | undefined } => {
  const count = Math.min(frame.size - frame.taken, bytes.length - offset)
  const piece = bytes.subarray(offset, offset + count)
  const skipped = !isData(frame.type) && frame.type !== identifierFrame
  const whole = frame.taken === 0 && count === frame.size
  if (!skipped && !whole) {
    frame.buffer ??= new Uint8Array(frame.size)
    frame.buffer.set(piece, frame.taken)
  }
  frame.taken += count
  const complete = frame.taken === frame.size
  return { bytes: count, complete, content: !complete || skipped ? undefined : whole ? piece : frame.buffer }
}

const compressedFrame = 0x00
const plainFrame = 0x01
const identifierFrame = 0xff
const checksumSize = 4
const noBytes = new Uint8Array(0)
const streamIdentifier = Uint8Array.of(0xff, 0x06, 0x00, 0x00, 0x73, 0x4e, 0x61, 0x50, 0x70, 0x59)

const isData = (type: number): boolean => type === compressedFrame || type === plainFrame

/** MaxCompressedLength of snappy. */
const maxBlockBytes = (data: number): number => 32 + data + Math.floor(data / 6)

const frameHeader = (type: number, data: Uint8Array, content: Uint8Array): Uint8Array => {
  const out = new Uint8Array(4 + checksumSize)
  const view = new DataView(out.buffer)
  view.setUint32(0, ((content.length + checksumSize) << 8) | type, true)
  view.setUint32(4, maskedChecksum(data), true)
  return out
}

/** The masked CRC-32C of the framing format: rotated by 15 bits, plus a constant. */
const maskedChecksum = (data: Uint8Array): number => {
  const crc = crc32c(data)
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
}

const littleEndian32 = (bytes: Uint8Array): number =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0, true)

const failure = (reason: WireError["reason"], detail: string): WireError => new WireError({ reason, detail })

const tooManyFrameBytes = (length: number): WireError =>
  failure("too_many_frame_bytes", `more than ${maxFrameBytes(length)} bytes of frames for ${length} bytes`)

const hexByte = (value: number): string => `0x${value.toString(16).padStart(2, "0")}`
