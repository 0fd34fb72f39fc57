import { crc32c } from "@node-rs/crc32"
import { compressSync } from "snappy"
import { concatBytes, equalBytes } from "../domain/Bytes.ts"
import { blockLength, copied, inflateBlock } from "./SnappyBlock.ts"
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
    const compressed = compressSync(block, copied)
    // As the snappy libraries of Go and Rust have it: what is hardly smaller is not worth its inflation.
    const smaller = compressed.length < block.length - Math.floor(block.length / 8)
    parts.push(frameHeader(smaller ? compressedFrame : plainFrame, block, smaller ? compressed : block))
    parts.push(smaller ? compressed : block)
  }
  return concatBytes(parts)
}

/** Reads the frames of one message, in any split. */
export interface FrameDecoder {
  /**
   * Takes what it needs from `bytes`, from `offset` on, and gives the offset behind it. It takes nothing after the last
   * byte of the message: what follows belongs to the next one. Nothing of `bytes` is kept.
   */
  readonly push: (bytes: Uint8Array, offset: number) => number | WireError
  /** The message, once it is whole, in a buffer that is its own and no larger. */
  readonly data: () => Uint8Array | undefined
}

/**
 * A decoder for a message of `length` bytes. It never holds more than `length` bytes and one frame: every length is
 * checked before anything of that size is kept or inflated.
 */
export const makeFrameDecoder = (length: number): FrameDecoder => {
  let data: Uint8Array = noBytes
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
    body = { type, size, taken: 0, target: targetOf(type, size), buffer: undefined }
    return undefined
  }

  /** Where the data of a plain frame goes as it comes: if the frame is the whole message, or the message has begun. */
  const targetOf = (type: number, size: number): Uint8Array | undefined => {
    const dataSize = size - checksumSize
    if (type !== plainFrame || dataSize === 0 || dataSize > length - filled) return undefined
    if (filled === 0 && dataSize === length) data = new Uint8Array(length)
    return data.length === 0 ? undefined : data.subarray(filled, filled + dataSize)
  }

  const endFrame = ({ target, type }: FrameBody, content: Uint8Array): WireError | undefined => {
    if (target !== undefined) {
      if (maskedChecksum(target) !== littleEndian32(content)) return badChecksum()
      filled += target.length
      return undefined
    }
    if (type === identifierFrame) {
      if (!equalBytes(content, streamIdentifier.subarray(4))) {
        return failure("bad_stream_identifier", "the identifier is not sNaPpY")
      }
      identified = true
      return undefined
    }
    const block = content.subarray(checksumSize)
    const size = type === plainFrame ? block.length : blockLength(block)
    if (size === undefined) return failure("bad_block", "the block has no readable length")
    if (size > maxFrameData) return failure("frame_too_long", `a block of ${size} bytes`)
    if (size > length - filled) {
      return failure("frame_exceeds_length", `a block of ${size} bytes where ${length - filled} are left of ${length}`)
    }
    const plain = type === plainFrame ? block : inflateBlock(block)
    if (plain === undefined || plain.length !== size) return failure("bad_block", "the block cannot be inflated")
    if (maskedChecksum(plain) !== littleEndian32(content)) return badChecksum()
    // An empty block is right, and says nothing of what follows.
    if (size === 0) return undefined
    // Made once the first frame has proved that there is something to hold.
    if (data.length === 0) {
      const isWhole = size === length && type === compressedFrame && plain.buffer.byteLength === size
      data = isWhole ? new Uint8Array(plain.buffer) : new Uint8Array(length)
    }
    if (data.buffer !== plain.buffer) data.set(plain, filled)
    filled += size
    return undefined
  }

  const push = (bytes: Uint8Array, start: number): number | WireError => {
    let offset = start
    while (offset < bytes.length && !whole()) {
      if (body === undefined) {
        header[headerFilled++] = bytes[offset++] ?? 0
        if (headerFilled < header.length) continue
        headerFilled = 0
        const error = startFrame()
        if (error !== undefined) return error
        continue
      }
      const frame: FrameBody = body
      const piece = bytes.subarray(offset, offset + frame.size - frame.taken)
      offset += piece.length
      const content = frame.target === undefined ? gather(frame, piece) : fill(frame, frame.target, piece)
      if (frame.taken < frame.size) continue
      body = undefined
      const error = content === undefined ? undefined : endFrame(frame, content)
      if (error !== undefined) return error
    }
    return offset
  }

  return { push, data: () => (whole() ? data : undefined) }
}

interface FrameBody {
  readonly type: number
  readonly size: number
  taken: number
  /** Where its data goes, and no other place; otherwise its content is gathered. */
  readonly target: Uint8Array | undefined
  /** Holds the content of a frame that comes in more than one piece. */
  buffer: Uint8Array | undefined
}

/** Takes a piece of the frame; its content when that is complete, without a copy if it came in one piece. */
const gather = (frame: FrameBody, piece: Uint8Array): Uint8Array | undefined => {
  const at = frame.taken
  frame.taken += piece.length
  if (!isData(frame.type) && frame.type !== identifierFrame) return undefined
  if (piece.length === frame.size) return piece
  frame.buffer ??= new Uint8Array(frame.size)
  frame.buffer.set(piece, at)
  return frame.taken < frame.size ? undefined : frame.buffer
}

/** The same with the data written to its place; the content is its checksum. */
const fill = (frame: FrameBody, target: Uint8Array, piece: Uint8Array): Uint8Array | undefined => {
  const rest = Math.max(0, Math.min(checksumSize - frame.taken, piece.length))
  if (rest > 0) {
    frame.buffer ??= new Uint8Array(checksumSize)
    frame.buffer.set(piece.subarray(0, rest), frame.taken)
  }
  if (rest < piece.length) target.set(rest === 0 ? piece : piece.subarray(rest), frame.taken + rest - checksumSize)
  frame.taken += piece.length
  return frame.taken < frame.size ? undefined : frame.buffer
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

const badChecksum = (): WireError => failure("bad_checksum", "CRC-32C does not match")

const tooManyFrameBytes = (length: number): WireError =>
  failure("too_many_frame_bytes", `more than ${maxFrameBytes(length)} bytes of frames for ${length} bytes`)

const hexByte = (value: number): string => `0x${value.toString(16).padStart(2, "0")}`
