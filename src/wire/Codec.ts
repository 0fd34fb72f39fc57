import { Either, Option } from "effect"
import { concatBytes, equalBytes, fromHex, toHex } from "../domain/Bytes.ts"
import type { AnswerBounds, ResponseChunk } from "./Message.ts"
import { maxPayloadSize, type Protocol, type SizeBounds } from "./Protocol.ts"
import { encodeFrames, type FrameDecoder, makeFrameDecoder } from "./SnappyFrames.ts"
import { encodeVarint, makeVarintDecoder, type VarintDecoder } from "./Varint.ts"
import { WireError } from "./WireError.ts"
import { printable } from "../domain/Text.ts"

/** MAX_ERROR_MESSAGE: bytes of the text in an error chunk. */
const maxErrorMessage = 256
/** Longer ones are against the specification, and are read up to here, for what they begin with. */
const longestMessage = 65_536

/** A whole request; no bytes at all where the protocol's request is empty by type (metadata). */
export const encodeRequest = (protocol: Protocol, ssz: Uint8Array): Uint8Array =>
  protocol.request.max === 0 ? new Uint8Array(0) : encodePayload(ssz)

/** `context` is `0x` and 8 digits, given exactly where the protocol has context bytes. */
export const encodeSuccessChunk = (protocol: Protocol, ssz: Uint8Array, context?: string): Uint8Array =>
  concatBytes([
    Uint8Array.of(0),
    protocol.context && context !== undefined ? fromHex(context) : new Uint8Array(0),
    encodePayload(ssz)
  ])

/** `code` is 1 to 255; the message is cut to 256 bytes. Error chunks have no context bytes. */
export const encodeErrorChunk = (code: number, message: string): Uint8Array =>
  concatBytes([Uint8Array.of(code), encodePayload(new TextEncoder().encode(message).subarray(0, maxErrorMessage))])

/** Reads one request, in any split. */
export interface RequestDecoder {
  readonly push: (bytes: Uint8Array) => Either.Either<void, WireError>
  /** The peer has half-closed: the SSZ of the request, if it was whole. */
  readonly finish: () => Either.Either<Uint8Array, WireError>
}

export const makeRequestDecoder = (protocol: Protocol): RequestDecoder => {
  const payload = makePayloadDecoder(protocol.request)
  const empty = protocol.request.max === 0
  const push = (bytes: Uint8Array): Either.Either<void, WireError> => {
    if (empty) return bytes.length === 0 ? Either.void : Either.left(trailing("the request has no bytes"))
    const offset = payload.push(bytes, 0)
    if (typeof offset !== "number") return Either.left(offset)
    return offset === bytes.length ? Either.void : Either.left(trailing("bytes after the request"))
  }
  const finish = (): Either.Either<Uint8Array, WireError> => {
    const data = empty ? new Uint8Array(0) : payload.data()
    return data === undefined ? Either.left(earlyEnd("request")) : Either.right(data)
  }
  return { push, finish }
}

/** A request that came as a whole. */
export const decodeRequest = (protocol: Protocol, bytes: Uint8Array): Either.Either<Uint8Array, WireError> => {
  const decoder = makeRequestDecoder(protocol)
  return Either.flatMap(decoder.push(bytes), decoder.finish)
}

/** One chunk of a response. After an error chunk nothing may follow. */
export type ResponseItem = { readonly _tag: "Success"; readonly chunk: ResponseChunk } | ErrorChunk

/** The code is the answer; the message comes with it or not. */
interface ErrorChunk {
  readonly _tag: "Error"
  /** 1 to 255. */
  readonly code: number
  /** What the peer wrote, made printable; empty where it cannot be read. */
  readonly message: string
}

/** Reads a response, in any split. */
export interface ResponseDecoder {
  /** The chunks that became whole, and after them the error, if any: it is final. */
  readonly push: (bytes: Uint8Array) => {
    readonly items: ReadonlyArray<ResponseItem>
    readonly error: WireError | undefined
  }
  /** An error chunk that has begun and is not whole: some write the code and nothing more. */
  readonly refusal: () => Option.Option<ErrorChunk>
  /** The peer has closed: whether that was between chunks, or within an error chunk, of which the code is enough. */
  readonly finish: () => Either.Either<void, WireError>
}

/** `allowed` bounds the success chunks further than the protocol does. */
export const makeResponseDecoder = (protocol: Protocol, allowed?: AnswerBounds): ResponseDecoder => {
  const admit = allowed === undefined ? undefined : admission(allowed)
  let chunk: ChunkState | undefined
  let chunks = 0
  let ended = false
  /** The message of the error chunk cannot be read, and so nothing behind it either. */
  let deaf = false
  let failed: WireError | undefined

  /** The context bytes of the last chunk that had some: they seldom change. */
  let context: { readonly bytes: Uint8Array; readonly text: string } = { bytes: new Uint8Array(0), text: "" }
  const contextOf = ({ context: bytes }: ChunkState): string | undefined => {
    if (bytes.length === 0) return undefined
    if (!equalBytes(bytes, context.bytes)) context = { bytes, text: toHex(bytes) }
    return context.text
  }

  /** One step from `offset` on: the offset behind it, and one more item if that made a chunk whole. */
  const step = (bytes: Uint8Array, offset: number, items: Array<ResponseItem>): number | WireError => {
    if (deaf) return bytes.length
    if (ended) return trailing("bytes after an error chunk")
    const byte = bytes[offset] ?? 0
    if (chunk === undefined) {
      if (byte === 0 && chunks === protocol.maxChunks) {
        return new WireError({ reason: "too_many_chunks", detail: `more than ${chunks} chunks` })
      }
      chunk = startChunk(protocol, byte, admit)
      return offset + 1
    }
    const state = chunk
    if (state.contextFilled < state.context.length) {
      state.context[state.contextFilled++] = byte
      state.wireBytes++
      return offset + 1
    }
    const end = state.payload.push(bytes, offset)
    if (typeof end !== "number") {
      if (state.code === 0) return end
      chunk = undefined
      deaf = true
      items.push(errorChunk(state.code, ""))
      return bytes.length
    }
    state.wireBytes += end - offset
    const data = state.payload.data()
    if (data === undefined) return end
    chunk = undefined
    chunks++
    ended = state.code !== 0
    items.push(
      ended
        ? errorChunk(state.code, printable(new TextDecoder().decode(data.subarray(0, maxErrorMessage))))
        : { _tag: "Success", chunk: { context: contextOf(state), ssz: data, wireBytes: state.wireBytes } }
    )
    return end
  }

  const push = (bytes: Uint8Array): ReturnType<ResponseDecoder["push"]> => {
    const items: Array<ResponseItem> = []
    let offset = 0
    while (failed === undefined && offset < bytes.length) {
      const next = step(bytes, offset, items)
      if (typeof next === "number") offset = next
      else failed = next
    }
    return { items, error: failed }
  }

  return {
    push,
    refusal: () => (chunk === undefined || chunk.code === 0 ? Option.none() : Option.some(errorChunk(chunk.code, ""))),
    finish: () => {
      if (failed !== undefined) return Either.left(failed)
      return chunk?.code === 0 ? Either.left(earlyEnd("response chunk")) : Either.void
    }
  }
}

interface ChunkState {
  readonly code: number
  readonly context: Uint8Array
  contextFilled: number
  readonly payload: PayloadDecoder
  wireBytes: number
}

const startChunk = (protocol: Protocol, code: number, admit: Admission | undefined): ChunkState => ({
  code,
  context: new Uint8Array(code === 0 && protocol.context ? 4 : 0),
  contextFilled: 0,
  payload:
    code === 0 ? makePayloadDecoder(protocol.response, admit) : makePayloadDecoder({ min: 0, max: longestMessage }),
  wireBytes: 1
})

/** Takes the announced length of the next success chunk, or says why it is more than may come. */
type Admission = (length: number) => WireError | undefined

const admission = ({ chunkBytes, totalBytes }: AnswerBounds): Admission => {
  let announced = 0
  return (length) => {
    if (length > chunkBytes) {
      const detail = `${length} bytes announced, the largest that a block asked for can have is ${chunkBytes}`
      return new WireError({ reason: "length_out_of_bounds", detail })
    }
    announced += length
    if (announced <= totalBytes) return undefined
    const detail = `${announced} bytes announced in all chunks so far, allowed for what was asked is ${totalBytes}`
    return new WireError({ reason: "too_many_bytes", detail })
  }
}

const errorChunk = (code: number, message: string): ErrorChunk => ({ _tag: "Error", code, message })

/** A length and the frames of that many bytes. */
interface PayloadDecoder {
  /** Takes what belongs to the payload from `offset` on and gives the offset behind it. */
  readonly push: (bytes: Uint8Array, offset: number) => number | WireError
  readonly data: () => Uint8Array | undefined
}

const makePayloadDecoder = (bounds: SizeBounds, admit?: Admission): PayloadDecoder => {
  const length: VarintDecoder = makeVarintDecoder()
  let frames: FrameDecoder | undefined
  const push = (bytes: Uint8Array, start: number): number | WireError => {
    let offset = start
    while (frames === undefined && offset < bytes.length) {
      const value = length.push(bytes[offset++] ?? 0)
      if (value === undefined) continue
      if (typeof value !== "number") return value
      const max = Math.min(bounds.max, maxPayloadSize)
      if (value < bounds.min || value > max) {
        const detail = `${value} bytes announced, allowed is ${bounds.min}..${max}`
        return new WireError({ reason: "length_out_of_bounds", detail })
      }
      const refused = admit?.(value)
      if (refused !== undefined) return refused
      frames = makeFrameDecoder(value)
    }
    return frames === undefined ? offset : frames.push(bytes, offset)
  }
  return { push, data: () => frames?.data() }
}

const encodePayload = (ssz: Uint8Array): Uint8Array => concatBytes([encodeVarint(ssz.length), encodeFrames(ssz)])

const trailing = (detail: string): WireError => new WireError({ reason: "trailing_bytes", detail })

const earlyEnd = (what: string): WireError =>
  new WireError({ reason: "early_end", detail: `the stream ended inside a ${what}` })
