import { ENR } from "@chainsafe/enr"
import { Either, Option } from "effect"
import type { Subnets } from "./Subnets.ts"

/** What a readable ENR says of them under `attnets` and `syncnets`; none where it says nothing. */
export const subnetsOfRecord = (text: string): Option.Option<Subnets> =>
  Option.flatMap(Either.getRight(Either.try(() => ENR.decodeTxt(text.trim()))), ({ kvs }) => {
    const [attnets, syncnets] = ["attnets", "syncnets"].map((key): unknown => kvs.get(key))
    return attnets instanceof Uint8Array
      ? Option.some({ attnets: bitsOf(attnets), syncnets: syncnets instanceof Uint8Array ? bitsOf(syncnets) : [] })
      : Option.none()
  })

/** The places of the bits that are set, as SSZ counts them; of what a stranger sends no more than an ENR can hold. */
const bitsOf = (bytes: Uint8Array): ReadonlyArray<number> =>
  [...bytes.subarray(0, mostBytes)].flatMap((byte, index) =>
    Array.from({ length: 8 }, (_, bit) => bit).flatMap((bit) => ((byte >> bit) & 1 ? [8 * index + bit] : []))
  )

const mostBytes = 32
