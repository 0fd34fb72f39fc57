import { Option } from "effect"
import { type ChainParameters, epochOf, forkEpoch, numberOfColumns } from "./Chain.ts"
import { forkDigestOfSlot, forkDigestsAround } from "./ForkDigest.ts"
import type { Slot } from "../Primitives.ts"

/** The gossip topic of one column under one fork digest (fulu/p2p-interface.md): column and subnet are the same number. */
export interface ColumnTopic {
  /** `0x` and 8 digits. */
  readonly forkDigest: string
  /** 0 to 127. */
  readonly column: number
}

export const columnTopic = ({ column, forkDigest }: ColumnTopic): string =>
  `/eth2/${forkDigest.slice(2)}/data_column_sidecar_${column}/ssz_snappy`

/** None for any other topic. */
export const parseColumnTopic = (topic: string): Option.Option<ColumnTopic> => {
  const [, digest, column] = pattern.exec(topic) ?? []
  return digest === undefined || Number(column) >= numberOfColumns
    ? Option.none()
    : Option.some({ forkDigest: `0x${digest}`, column: Number(column) })
}

const pattern = /^\/eth2\/([0-9a-f]{8})\/data_column_sidecar_(0|[1-9][0-9]{0,2})\/ssz_snappy$/

/**
 * The topics of some columns at `slot`; for two slots on either side of a change of the digest, those of both. There are
 * none before Fulu. At most `most` of them: those of the running digest first, then those of the other one for as many
 * columns as there is room, in their order. So all columns move in two steps.
 */
export const columnTopicsAt = (
  chain: ChainParameters,
  columns: ReadonlyArray<number>,
  slot: Slot,
  most = Infinity
): ReadonlyArray<ColumnTopic> => {
  if (epochOf(chain, slot + 2) < forkEpoch(chain, "fulu")) return []
  const running = forkDigestOfSlot(chain, slot)
  const digests = [...forkDigestsAround(chain, slot)].sort((a, b) => Number(b === running) - Number(a === running))
  return digests.flatMap((forkDigest) => columns.map((column) => ({ forkDigest, column }))).slice(0, most)
}
