import type { Protocol } from "./Protocol.ts"

/** A request, ready to be sent: the protocols that may carry it, best first, each with the SSZ body that it wants. */
export interface RequestMessage {
  readonly protocols: ReadonlyArray<RequestVersion>
  /** What the answer may hold, where the asker knows that better than the protocol does. */
  readonly allowed?: AnswerBounds
}

/**
 * Bounds of an answer, held against each length that it announces before anything of that size is kept. In bytes of SSZ; on
 * the stream they may take a sixth more, and 47 bytes for each chunk.
 */
export interface AnswerBounds {
  /** One success chunk, at most. */
  readonly chunkBytes: number
  /** All success chunks together, at most. */
  readonly totalBytes: number
}

export interface RequestVersion {
  readonly protocol: Protocol
  readonly body: Uint8Array
}

/** One success chunk of a response. */
export interface ResponseChunk {
  /** The context bytes, `0x` and 8 digits; `undefined` where the protocol has none. */
  readonly context: string | undefined
  readonly ssz: Uint8Array
  /** Bytes that it took on the stream, compressed and with its header. */
  readonly wireBytes: number
}
