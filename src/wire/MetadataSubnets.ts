import { ssz } from "@lodestar/types"
import { Either } from "effect"
import type { Subnets } from "../domain/peer/Subnets.ts"
import { metadataV2, metadataV3 } from "./Protocol.ts"
import { decodeSsz } from "./Ssz.ts"
import type { WireError } from "./WireError.ts"

/** The subnets in MetaData of any version: they are told apart by their size, and version 1 has no `syncnets`. */
export const decodeMetadataSubnets = (bytes: Uint8Array): Either.Either<Subnets, WireError> => {
  if (bytes.length === metadataV3.response.max) return Either.map(decodeSsz(ssz.fulu.Metadata, bytes), subnetsOf)
  if (bytes.length === metadataV2.response.max) return Either.map(decodeSsz(ssz.altair.Metadata, bytes), subnetsOf)
  return Either.map(decodeSsz(ssz.phase0.Metadata, bytes), subnetsOf)
}

interface Bits {
  readonly getTrueBitIndexes: () => ReadonlyArray<number>
}

const subnetsOf = ({ attnets, syncnets }: { readonly attnets: Bits; readonly syncnets?: Bits }): Subnets => ({
  attnets: attnets.getTrueBitIndexes(),
  syncnets: syncnets?.getTrueBitIndexes() ?? []
})
