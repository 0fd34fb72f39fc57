import { Option } from "effect"
import { type ChainParameters, epochOf, forkEpoch, numberOfColumns } from "./Chain.ts"
import { forkDigestsAround } from "./ForkDigest.ts"
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
 * none before Fulu.
 */
export const columnTopicsAt = (
  chain: ChainParameters,
  columns: ReadonlyArray<number>,
  slot: Slot
): ReadonlyArray<ColumnTopic> =>
  epochOf(chain, slot + 2) < forkEpoch(chain, "fulu")
    ? []
    : forkDigestsAround(chain, slot).flatMap((forkDigest) => columns.map((column) => ({ forkDigest, column })))
