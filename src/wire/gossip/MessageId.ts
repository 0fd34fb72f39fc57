import { createHash, type Hash } from "node:crypto"
import { uint64LittleEndian } from "../../domain/Bytes.ts"

/**
 * compute_message_id of Altair and later (altair/p2p-interface.md, "The gossip domain"): 20 bytes. `data` is the message
 * after decompression; one that cannot be decompressed is dropped here before it has an id. Taken of every message: the
 * platform's hash costs a tenth of one in JavaScript.
 */
export const messageId = (topic: string, data: Uint8Array): Uint8Array => hashOf(topic, data).digest().subarray(0, 20)

/** The same as hex, without `0x`. */
export const hexMessageId = (topic: string, data: Uint8Array): string => hashOf(topic, data).digest("hex").slice(0, 40)

/** Tells a copy of a message by its compressed bytes, without inflating it; of 32 bytes, so that nobody can make two alike. */
export const compressedId = (topic: string, compressed: Uint8Array): string =>
  createHash("sha256").update(topic).update(compressed).digest("base64")

const hashOf = (topic: string, data: Uint8Array): Hash => {
  const name = Buffer.from(topic, "utf8")
  return createHash("sha256").update(validSnappy).update(uint64LittleEndian(name.length)).update(name).update(data)
}

/** MESSAGE_DOMAIN_VALID_SNAPPY. */
const validSnappy = Uint8Array.of(1, 0, 0, 0)
