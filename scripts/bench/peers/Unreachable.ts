import { ENR, SignableENR } from "@chainsafe/enr"
import { makeRandom } from "../Bench.ts"

/** So many records of nodes of the network of `like`, at addresses of this machine where nobody listens. */
export const unreachableRecords = (count: number, like: string): ReadonlyArray<string> => {
  const { kvs } = ENR.decodeTxt(like)
  const random = makeRandom(51)
  const byte = (least: number): number => least + Math.floor(random() * (256 - least))
  return Array.from({ length: count }, () => {
    const enr = SignableENR.createV4(Uint8Array.from({ length: 32 }, () => byte(1)))
    for (const name of copied) {
      const value = kvs.get(name)
      if (value !== undefined) enr.set(name, value)
    }
    enr.ip = `127.${byte(1)}.${byte(0)}.${byte(1)}`
    enr.tcp = 9_000
    return enr.encodeTxt()
  })
}

/** What makes them eligible. */
const copied = ["eth2", "nfd", "cgc", "attnets", "syncnets"]
