import { Option } from "effect"
import type { CommitmentCache } from "../chain/CommitmentCache.ts"
import type { SlotColumns } from "../domain/column/ColumnResponse.ts"
import { sidecarBytes } from "../domain/column/Sidecar.ts"
import { type Block, type SlotFacts, slotOf } from "../domain/network/Block.ts"
import { blobParametersAt, type ChainParameters, epochOf, forkAt, type SlotRange } from "../domain/network/Chain.ts"
import type { Slot } from "../domain/Primitives.ts"
import type { AnswerBounds } from "../wire/Message.ts"

/** What answers about some blocks may hold, by the numbers of their commitments. */
export interface AnswerSizes {
  readonly byRange: (range: SlotRange, columns: number) => AnswerBounds
  readonly byRoot: (asked: ReadonlyArray<SlotColumns>) => AnswerBounds
  /** SSZ bytes of so many columns of the blocks in these slots, or in all. */
  readonly bytes: (columns: number, slots?: ReadonlyArray<Slot>) => number
}

/**
 * Of the slots of `range`. `facts` are what is known of them, `replaced` the blocks that were there before: to a peer that
 * lags behind these are canonical still. What the chain cannot tell may be as large as it allows.
 */
export const answerSizes = (
  chain: ChainParameters,
  range: SlotRange,
  facts: ReadonlyArray<SlotFacts>,
  replaced: ReadonlyArray<Block>
): AnswerSizes => {
  const largest = new Map(facts.map((fact) => [slotOf(fact), 0]))
  for (let slot = range.start; slot <= range.end; slot++) {
    const epoch = epochOf(chain, slot)
    const { maxBlobsPerBlock } = blobParametersAt(chain, epoch)
    if (!largest.has(slot)) largest.set(slot, sidecarBytes(forkAt(chain, epoch).name, maxBlobsPerBlock))
  }
  const canonical = facts.flatMap((fact) => (fact._tag === "Block" ? [fact.block] : []))
  for (const { commitments, fork, slot } of [...canonical, ...replaced]) {
    const bytes = commitments.length === 0 ? 0 : sidecarBytes(fork, commitments.length)
    largest.set(slot, Math.max(bytes, largest.get(slot) ?? 0))
  }
  const bounds = (asked: ReadonlyArray<{ readonly slot: number; readonly columns: number }>): AnswerBounds => {
    const chunkBytes = asked.reduce((most, { slot }) => Math.max(most, largest.get(slot) ?? 0), 0) || smallest
    const bytes = asked.reduce((sum, { columns, slot }) => sum + columns * (largest.get(slot) ?? 0), 0)
    return { chunkBytes, totalBytes: 2 * bytes + surplusChunks * chunkBytes }
  }
  return {
    byRange: ({ end, start }, columns) =>
      bounds([...largest.keys()].filter((slot) => slot >= start && slot <= end).map((slot) => ({ slot, columns }))),
    byRoot: (asked) => bounds(asked.map(({ columns, slot }) => ({ slot, columns: columns.length }))),
    bytes: (columns, slots = [...largest.keys()]) =>
      slots.reduce((sum, slot) => sum + columns * (largest.get(slot) ?? 0), 0)
  }
}

/** Blocks of these slots that were canonical once, as far as they are known. */
export const replacedIn = (commitments: CommitmentCache["Type"], { end, start }: SlotRange): ReadonlyArray<Block> =>
  commitments
    .replacedSince(0)
    .blocks.filter(({ slot }) => slot >= start && slot <= end)
    .flatMap(({ root }) => Option.toArray(commitments.orphan(root)))

/** Sidecars beyond those asked for, and each of them a second time, that are read, told as findings and not kept. */
const surplusChunks = 16
/** A sidecar of one blob: what is sent of blocks that have none is told of, too. */
const smallest = sidecarBytes("fulu", 1)
