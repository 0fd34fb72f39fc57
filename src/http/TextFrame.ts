/** A text as one WebSocket message from a server: a single frame, final and unmasked (RFC 6455, section 5.2). */
export const textFrame = (text: string): Buffer => {
  const length = Buffer.byteLength(text)
  const start = length < 126 ? 2 : length < 0x10000 ? 4 : 10
  const frame = Buffer.allocUnsafe(start + length)
  frame.writeUInt8(0x81, 0)
  if (start === 2) frame.writeUInt8(length, 1)
  if (start === 4) frame.writeUInt16BE(length, frame.writeUInt8(126, 1))
  if (start === 10) frame.writeBigUInt64BE(BigInt(length), frame.writeUInt8(127, 1))
  frame.write(text, start)
  return frame
}
