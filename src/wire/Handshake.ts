import { ssz } from "@lodestar/types"
import { Either } from "effect"
import { fromHex, toHex } from "../domain/Bytes.ts"
import type { Subnets } from "../domain/peer/Subnets.ts"
import type { Root } from "../domain/Primitives.ts"
import type { RequestMessage } from "./Message.ts"
import { goodbye, metadataV1, metadataV2, metadataV3, ping, type Protocol, statusV1, statusV2 } from "./Protocol.ts"
import { decodeSsz, saturate } from "./Ssz.ts"
import type { WireError } from "./WireError.ts"

/**
 * Status, versions 1 and 2 (phase0 and fulu p2p-interface.md). Slots and epochs of 2^53 and more (FAR_FUTURE) are read
 * as 2^53-1; `Infinity` is written as 2^64-1.
 */
export interface StatusMessage {
  /** `0x` and 8 digits. */
  readonly forkDigest: string
  readonly finalizedRoot: Root
  readonly finalizedEpoch: number
  readonly headRoot: Root
  readonly headSlot: number
  /** Version 2; `undefined` in version 1. */
  readonly earliestAvailableSlot: number | undefined
}

/** 92 bytes for status/2, 84 for status/1; an earliest available slot that is not known is written as 0. */
export const encodeStatus = (protocol: Protocol, status: StatusMessage): Uint8Array => {
  const fields = {
    forkDigest: fromHex(status.forkDigest),
    finalizedRoot: fromHex(status.finalizedRoot),
    finalizedEpoch: status.finalizedEpoch,
    headRoot: fromHex(status.headRoot),
    headSlot: status.headSlot
  }
  return protocol.id === statusV2.id
    ? ssz.fulu.Status.serialize({ ...fields, earliestAvailableSlot: status.earliestAvailableSlot ?? 0 })
    : ssz.phase0.Status.serialize(fields)
}

/** Either version: they are told apart by their size. */
export const decodeStatus = (bytes: Uint8Array): Either.Either<StatusMessage, WireError> =>
  bytes.length === statusV2.response.max
    ? Either.map(decodeSsz(ssz.fulu.Status, bytes), (status) => ({
        ...commonStatus(status),
        earliestAvailableSlot: saturate(status.earliestAvailableSlot)
      }))
    : Either.map(decodeSsz(ssz.phase0.Status, bytes), (status) => ({
        ...commonStatus(status),
        earliestAvailableSlot: undefined
      }))

/** MetaData, versions 1 to 3, as a monitor says it: without the subnets, since it is on none. */
export interface MetadataMessage {
  /** Numbers of 2^53 and more are read as 2^53-1. */
  readonly sequenceNumber: number
  /** Version 3; `undefined` in versions 1 and 2. */
  readonly custodyGroupCount: number | undefined
}

/** 25 bytes for metadata/3, 17 for /2, 16 for /1; no subnets. */
export const encodeMetadata = (protocol: Protocol, metadata: MetadataMessage): Uint8Array => {
  const seqNumber = BigInt(metadata.sequenceNumber)
  const { attnets } = ssz.phase0.Metadata.defaultValue()
  const { syncnets } = ssz.altair.Metadata.defaultValue()
  if (protocol.id === metadataV1.id) return ssz.phase0.Metadata.serialize({ seqNumber, attnets })
  if (protocol.id === metadataV2.id) return ssz.altair.Metadata.serialize({ seqNumber, attnets, syncnets })
  return ssz.fulu.Metadata.serialize({
    seqNumber,
    attnets,
    syncnets,
    custodyGroupCount: metadata.custodyGroupCount ?? 0
  })
}

/** MetaData as others say it. */
export interface HeardMetadata extends MetadataMessage {
  readonly subnets: Subnets
}

/** Any version: they are told apart by their size, and version 1 has no `syncnets`. */
export const decodeMetadata = (bytes: Uint8Array): Either.Either<HeardMetadata, WireError> => {
  if (bytes.length === metadataV3.response.max) return Either.map(decodeSsz(ssz.fulu.Metadata, bytes), heardOf)
  if (bytes.length === metadataV2.response.max) return Either.map(decodeSsz(ssz.altair.Metadata, bytes), heardOf)
  return Either.map(decodeSsz(ssz.phase0.Metadata, bytes), heardOf)
}

/** The one number of a Ping or a Goodbye. */
export const encodeUint64 = (value: number): Uint8Array => ssz.phase0.Ping.serialize(BigInt(value))

/** The one number of a Ping or a Goodbye; 2^53 and more are read as 2^53-1. */
export const decodeUint64 = (bytes: Uint8Array): Either.Either<number, WireError> =>
  Either.map(decodeSsz(ssz.phase0.Ping, bytes), saturate)

export const statusRequest = (status: StatusMessage): RequestMessage => ({
  protocols: [statusV2, statusV1].map((protocol) => ({ protocol, body: encodeStatus(protocol, status) }))
})

export const metadataRequest: RequestMessage = {
  protocols: [metadataV3, metadataV2].map((protocol) => ({ protocol, body: new Uint8Array(0) }))
}

export const pingRequest = (sequenceNumber: number): RequestMessage => ({
  protocols: [{ protocol: ping, body: encodeUint64(sequenceNumber) }]
})

/**
 * Read its response to the end, which is empty as a rule, before the connection is closed: a connection that is closed
 * at once takes what is still under way with it.
 */
export const goodbyeRequest = (code: number): RequestMessage => ({
  protocols: [{ protocol: goodbye, body: encodeUint64(code) }]
})

interface Bits {
  readonly getTrueBitIndexes: () => ReadonlyArray<number>
}

interface SszMetadata {
  readonly seqNumber: bigint
  readonly attnets: Bits
  readonly syncnets?: Bits
  readonly custodyGroupCount?: number
}

const heardOf = ({ attnets, custodyGroupCount, seqNumber, syncnets }: SszMetadata): HeardMetadata => ({
  sequenceNumber: saturate(seqNumber),
  custodyGroupCount: custodyGroupCount === undefined ? undefined : saturate(custodyGroupCount),
  subnets: { attnets: attnets.getTrueBitIndexes(), syncnets: syncnets?.getTrueBitIndexes() ?? [] }
})

interface SszStatus {
  readonly forkDigest: Uint8Array
  readonly finalizedRoot: Uint8Array
  readonly finalizedEpoch: number
  readonly headRoot: Uint8Array
  readonly headSlot: number
}

const commonStatus = (status: SszStatus): Omit<StatusMessage, "earliestAvailableSlot"> => ({
  forkDigest: toHex(status.forkDigest),
  finalizedRoot: toHex(status.finalizedRoot),
  finalizedEpoch: saturate(status.finalizedEpoch),
  headRoot: toHex(status.headRoot),
  headSlot: saturate(status.headSlot)
})
