import { Option } from "effect"
import type { Block } from "../../../src/domain/network/Block.ts"
import { type ChainParameters, epochOf, epochStart, slotAt, slotStart } from "../../../src/domain/network/Chain.ts"
import { fromHex } from "../../../src/domain/Bytes.ts"
import type { Checkpoint } from "../../../src/domain/peer/Claim.ts"
import { between, chance } from "./Chance.ts"

/**
 * What really happened: the canonical chain with its missed slots, and blocks that were canonical for some seconds until
 * others took their place. It only grows; whoever looks says at which moment.
 */
export interface TrueChain {
  readonly parameters: ChainParameters
  /** Makes what belongs to the slots up to this one. */
  readonly growTo: (slot: number) => void
  /** The block that was canonical at this moment, to a node that hears of everything at once. */
  readonly blockAt: (slot: number, at: number) => SimulatedBlock | undefined
  /** The newest block at or before the slot, at this moment. */
  readonly lastBlock: (slot: number, at: number) => SimulatedBlock | undefined
  /** The block that another took the place of, and when. */
  readonly orphanOf: (slot: number) => Orphan | undefined
  readonly byRoot: (root: string) => SimulatedBlock | undefined
  /** Finalized at this moment: the last block at or before the first slot of the epoch. */
  readonly finalizedAt: (at: number) => Checkpoint
  /** Unix milliseconds at which the slot is final. */
  readonly finalFrom: (slot: number) => number
  readonly now: () => number
}

export interface SimulatedBlock extends Block {
  /** The root as bytes. */
  readonly rootBytes: Uint8Array
}

interface Orphan {
  readonly block: SimulatedBlock
  /** Unix milliseconds at which it was replaced. */
  readonly until: number
}

export interface TrueChainOptions {
  readonly seed: number
  readonly parameters: ChainParameters
  readonly firstSlot: number
  readonly now: () => number
  /** Between these moments nothing is finalized. */
  readonly stalled: { readonly from: number; readonly until: number }
}

export const makeTrueChain = ({ firstSlot, now, parameters, seed, stalled }: TrueChainOptions): TrueChain => {
  const canonical = new Map<number, SimulatedBlock>()
  const orphans = new Map<number, Orphan>()
  const roots = new Map<string, SimulatedBlock>()
  /** Of blocks that came late, Unix milliseconds at which they did. */
  const lateUntil = new Map<number, number>()
  let next = firstSlot
  let parent = `0x${"00".repeat(32)}`
  const liveFrom = slotAt(parameters, now())

  const append = (slot: number, branch: number): void => {
    const block = makeBlock(seed, slot, branch, parent)
    canonical.set(slot, block)
    roots.set(block.root, block)
    parent = block.root
  }

  /** The blocks of the slots before this one turn out to be on a branch that nobody builds on. */
  const reorganise = (slot: number, depth: number): void => {
    let base = slot - depth - 1
    while (base > firstSlot && !canonical.has(base)) base--
    parent = canonical.get(base)?.root ?? parent
    const until = slotStart(parameters, slot) + 4_000
    lateUntil.set(slot, until)
    for (let old = slot - depth; old < slot; old++) {
      const block = canonical.get(old)
      canonical.delete(old)
      lateUntil.set(old, until)
      if (block !== undefined) orphans.set(old, { block, until })
      if (chance(seed, old, 8) < 0.5) append(old, 1)
    }
  }

  const growTo = (slot: number): void => {
    for (; next <= slot; next++) {
      if (next > liveFrom && chance(seed, next, 5) < 0.03) reorganise(next, between(1, 2, chance(seed, next, 6)))
      if (chance(seed, next, 7) >= 0.03) append(next, 0)
    }
  }

  const blockAt = (slot: number, at: number): SimulatedBlock | undefined => {
    if (at < slotStart(parameters, slot)) return undefined
    const orphan = orphans.get(slot)
    if (orphan !== undefined && at < orphan.until) return orphan.block
    return at < (lateUntil.get(slot) ?? 0) ? undefined : canonical.get(slot)
  }

  const lastBlock = (slot: number, at: number): SimulatedBlock | undefined => {
    for (let back = slot; back >= firstSlot; back--) {
      const block = blockAt(back, at)
      if (block !== undefined) return block
    }
    return undefined
  }

  const finalizedAt = (at: number): Checkpoint => {
    const moment = at >= stalled.from && at < stalled.until ? stalled.from : at
    // Justification takes until some slots into the epoch.
    const epoch = Math.max(0, epochOf(parameters, slotAt(parameters, moment) - settlingSlots) - finalityEpochs)
    return { epoch, root: lastBlock(epochStart(parameters, epoch), at)?.root ?? parent }
  }

  return {
    parameters,
    growTo,
    blockAt,
    lastBlock,
    orphanOf: (slot) => orphans.get(slot),
    byRoot: (root) => roots.get(root),
    finalizedAt,
    finalFrom: (slot) => {
      const epoch = Math.ceil(slot / parameters.slotsPerEpoch) + finalityEpochs
      const at = slotStart(parameters, epochStart(parameters, epoch) + settlingSlots)
      return at >= stalled.from && at < stalled.until ? stalled.until : at
    },
    now
  }
}

const finalityEpochs = 2
const settlingSlots = 4

const commitment = new Uint8Array(48)
const commitmentsOf = [0, 1, 2, 3].map((blobs) => Array.from({ length: blobs }, () => commitment))

/** Less than half of the blocks have blobs, which leaves more time for more conversations; others of a slot are told apart by their branch. */
export const makeBlock = (seed: number, slot: number, branch: number, parentRoot: string): SimulatedBlock => {
  const name = `${slot.toString(16).padStart(8, "0")}${branch.toString(16).padStart(2, "0")}`
  const root = `0x${name}${(seed >>> 0).toString(16).padStart(8, "0")}${"5a".repeat(23)}`
  const blobs = chance(seed, slot, branch, 9) < 0.6 ? 0 : between(1, 3, chance(seed, slot, branch, 10))
  return {
    slot,
    root,
    rootBytes: fromHex(root),
    parentRoot,
    fork: "gloas",
    commitments: commitmentsOf[blobs] ?? [],
    signature: Option.none(),
    payload: "full"
  }
}
