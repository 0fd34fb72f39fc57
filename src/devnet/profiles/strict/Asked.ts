import { Either } from "effect"
import {
  dataColumnSidecarsByRange,
  dataColumnSidecarsByRoot,
  goodbye,
  metadataV1,
  metadataV2,
  metadataV3,
  ping,
  statusV1,
  statusV2
} from "../../../wire/Protocol.ts"
import { decodeColumnsByRange, decodeColumnsByRoot } from "../../../wire/Requests.ts"
import type { Admission } from "../Profile.ts"

/** A request as a limiter counts it. */
export interface Asked {
  readonly kind: "status" | "metadata" | "ping" | "goodbye" | "range" | "root" | "other"
  /** Sidecars that are asked for, whether they exist or not. */
  readonly sidecars: number
}

export const askedIn = ({ protocol: { id }, ssz }: Admission): Asked => {
  if (id === dataColumnSidecarsByRange.id) {
    const { columns, count } = Either.getOrElse(decodeColumnsByRange(ssz), () => ({ columns: [], count: 0 }))
    return { kind: "range", sidecars: count * columns.length }
  }
  if (id === dataColumnSidecarsByRoot.id) {
    const blocks = Either.getOrElse(decodeColumnsByRoot(ssz), () => [])
    const sidecars = blocks.reduce((sum, { columns }) => sum + columns.length, 0)
    return { kind: "root", sidecars }
  }
  return { kind: small.get(id) ?? "other", sidecars: 0 }
}

const small: ReadonlyMap<string, Asked["kind"]> = new Map([
  [statusV1.id, "status"],
  [statusV2.id, "status"],
  [metadataV1.id, "metadata"],
  [metadataV2.id, "metadata"],
  [metadataV3.id, "metadata"],
  [ping.id, "ping"],
  [goodbye.id, "goodbye"]
])
