import { secp256k1 } from "@noble/curves/secp256k1.js"
import { Option } from "effect"
import type { Heard } from "../../../src/discovery/book/BookEntry.ts"
import { peerIdOfPublicKey } from "../../../src/domain/peer/NodeId.ts"

/** The peer id of the nth node: each has a key of its own. */
export const peerIdOf = (n: number): string => {
  const key = new Uint8Array(32)
  new DataView(key.buffer).setUint32(28, n + 1)
  return peerIdOfPublicKey(secp256k1.getPublicKey(key, true))
}

/** The nth node, as a source hears of it. */
export const nodeOf = (n: number, over: Partial<Heard> & { readonly count?: number } = {}): Heard => {
  const { count, ...heard } = over
  return {
    address: {
      peerId: peerIdOf(n),
      multiaddrs: [`/ip4/192.0.${n >> 8}.${n & 255}/tcp/9000`],
      enrCustodyGroupCount: Option.fromNullable(count)
    },
    source: "discv5",
    ...heard
  }
}
