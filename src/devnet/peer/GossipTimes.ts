import { seeded } from "../chain/Random.ts"

/**
 * When a column of a block reaches a peer, in slots after the block's slot began: as on mainnet it leaves its proposer late
 * in the first quarter, one column after the other, and takes its time over some hops. All but a few are there between 5 and
 * 60 % of the slot; one in fifty comes half a slot later, or more.
 */
export const reachesAt = (seed: number, slot: number, column: number, nodeId: string): number => {
  const left = earliest + span.block * unit(seed, "proposed", slot)
  const sent = span.columns * unit(seed, "sent", slot, column)
  const hops = span.hops * unit(seed, "hops", slot, column, nodeId)
  const late = seeded(seed, "late", slot, column)
  return left + sent + hops + (late.chance(lateShare) ? 0.5 + late.below(500) / 1000 : 0)
}

const unit = (seed: number, ...labels: ReadonlyArray<string | number>): number =>
  seeded(seed, ...labels).below(1000) / 1000

const earliest = 0.05
/** Shares of a slot. */
const span = { block: 0.1, columns: 0.35, hops: 0.1 }
const lateShare = 0.02
