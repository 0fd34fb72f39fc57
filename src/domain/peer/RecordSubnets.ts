import { Option } from "effect"
import type { Subnets } from "./Subnets.ts"

/** What the keys of an ENR say of them, under `attnets` and `syncnets`; none where they say nothing. */
export const subnetsOfRecord = (keys: ReadonlyMap<string, unknown>): Option.Option<Subnets> => {
  const [attnets, syncnets] = [keys.get("attnets"), keys.get("syncnets")]
  return attnets instanceof Uint8Array
    ? Option.some({ attnets: bitsOf(attnets), syncnets: syncnets instanceof Uint8Array ? bitsOf(syncnets) : [] })
    : Option.none()
}

/** The places of the bits that are set, as SSZ counts them; of what a stranger sends no more than an ENR can hold. */
const bitsOf = (bytes: Uint8Array): ReadonlyArray<number> =>
  [...bytes.subarray(0, mostBytes)].flatMap((byte, index) =>
    Array.from({ length: 8 }, (_, bit) => bit).flatMap((bit) => ((byte >> bit) & 1 ? [8 * index + bit] : []))
  )

const mostBytes = 32
