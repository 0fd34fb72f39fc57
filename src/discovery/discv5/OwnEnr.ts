import { bigEndian } from "../../domain/Bytes.ts"
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
