import { SignableENR } from "@chainsafe/enr"
import { equalBytes } from "../../domain/Bytes.ts"

/** An ENR that its owner (private key of 32 bytes, secp256k1) may change, with this sequence number. */
export const makeEnr = (
  privateKey: Uint8Array,
  entries: ReadonlyMap<string, Uint8Array>,
  sequence: bigint
): SignableENR => {
  const enr = SignableENR.createV4(privateKey, Object.fromEntries(entries))
  enr.seq = sequence
  return enr
}

/** Makes it say this and nothing else; its sequence number rises if it said anything else. Gives whether it did. */
export const changeEnr = (enr: SignableENR, entries: ReadonlyMap<string, Uint8Array>): boolean => {
  const changed = [...entries].filter(([key, value]) => {
    const before = enr.kvs.get(key)
    return before === undefined || !equalBytes(before, value)
  })
  const gone = [...enr.kvs.keys()].filter((key) => !entries.has(key) && !identityKeys.has(key))
  for (const [key, value] of changed) enr.set(key, value)
  for (const key of gone) enr.delete(key)
  return changed.length + gone.length > 0
}

const identityKeys: ReadonlySet<string> = new Set(["id", "secp256k1"])
