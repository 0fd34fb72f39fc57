import { SignableENR } from "@chainsafe/enr"
import { bigEndian, equalBytes } from "../../domain/Bytes.ts"
import { type ChainParameters, epochOf, slotAt } from "../../domain/network/Chain.ts"
import { enrForkIdAt } from "../../domain/network/EnrForkId.ts"
import { addressEntries, type Reach } from "../record/OwnAddresses.ts"

/** What an ENR says beside who its node is (fulu/p2p-interface.md, "ENR structure"). */
export interface OwnEnrParts {
  readonly chain: ChainParameters
  /** Unix milliseconds. */
  readonly now: number
  readonly custodyGroupCount: number
  readonly reach: ReadonlyArray<Reach>
}

/** A monitor is on no subnet. */
export const enrEntries = ({ chain, custodyGroupCount, now, reach }: OwnEnrParts): ReadonlyMap<string, Uint8Array> =>
  new Map([
    ...Object.entries({
      ...enrForkIdAt(chain, Math.max(0, epochOf(chain, slotAt(chain, now)))),
      attnets: new Uint8Array(8),
      syncnets: new Uint8Array(1),
      cgc: bigEndian(custodyGroupCount)
    }),
    ...addressEntries(reach)
  ])

/** An ENR that its owner (private key of 32 bytes, secp256k1) may change, with this sequence number. */
export const makeOwnEnr = (
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
