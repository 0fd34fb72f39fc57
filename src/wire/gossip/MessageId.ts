import { sha256 } from "@noble/hashes/sha2.js"
import { concatBytes, uint64LittleEndian } from "../../domain/Bytes.ts"

/**
 * compute_message_id of Altair and later (altair/p2p-interface.md, "The gossip domain"): 20 bytes. `data` is the message
 * after decompression; one that cannot be decompressed is dropped here before it has an id.
 */
export const messageId = (topic: string, data: Uint8Array): Uint8Array => {
  const name = new TextEncoder().encode(topic)
  return sha256(concatBytes([validSnappy, uint64LittleEndian(name.length), name, data])).slice(0, 20)
}

/** MESSAGE_DOMAIN_VALID_SNAPPY. */
const validSnappy = Uint8Array.of(1, 0, 0, 0)
