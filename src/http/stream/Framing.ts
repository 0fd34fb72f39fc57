import type { Outgoing } from "./StreamMessage.ts"

/** How messages are told apart on one kind of connection. */
export interface Framing {
  readonly transport: "websocket" | "sse"
  /** The bytes before the JSON of a message, and those after it. */
  readonly around: (message: Outgoing) => readonly [before: Buffer, after: Buffer]
}

/** A message as the bytes that carry it. */
export const framed = ({ around }: Framing, message: Outgoing): ReadonlyArray<Buffer> => {
  const [before, after] = around(message)
  return after.length === 0 ? [before, message.json] : [before, message.json, after]
}

/** One WebSocket message from a server: a single frame of text, final and unmasked (RFC 6455, section 5.2). */
export const webSocketFraming: Framing = {
  transport: "websocket",
  around: ({ json: { length } }) => {
    const before = Buffer.allocUnsafe(length < 126 ? 2 : length < 0x10000 ? 4 : 10)
    before.writeUInt8(0x81, 0)
    if (before.length === 2) before.writeUInt8(length, 1)
    if (before.length === 4) before.writeUInt16BE(length, before.writeUInt8(126, 1))
    if (before.length === 10) before.writeBigUInt64BE(BigInt(length), before.writeUInt8(127, 1))
    return [before, nothing]
  }
}

/**
 * Server-sent events (HTML, section 9.2): `event` is the tag, `id` is `<sequence>@<run>`, which a browser that
 * connects again gives back. JSON has no line breaks, so one line of data carries it.
 */
export const sseFraming = (run: string): Framing => ({
  transport: "sse",
  around: ({ sequence, tag }) => {
    const id = sequence === undefined ? "" : `id: ${sequence}@${run}\n`
    return [Buffer.from(`${id}event: ${tag}\ndata: `), blankLine]
  }
})

const nothing = Buffer.alloc(0)
const blankLine = Buffer.from("\n\n")
