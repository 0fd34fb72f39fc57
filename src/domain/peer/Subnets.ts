import { ENR } from "@chainsafe/enr"
import { Either, Option, Schema } from "effect"

/** The subnets that a node says it is on, by number, ascending. */
export const Subnets = Schema.Struct({
  /** Attestation subnets, 0 to 63 (phase0/p2p-interface.md, "MetaData"). */
  attnets: Schema.Array(Schema.Int),
  /** Sync committee subnets, 0 to 3 (altair/p2p-interface.md). */
  syncnets: Schema.Array(Schema.Int)
}).annotations({ identifier: "Subnets" })
export type Subnets = typeof Subnets.Type

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
