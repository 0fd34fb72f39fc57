import { Either } from "effect"
import { fromHex, toHex } from "../../domain/Bytes.ts"
import type { Root } from "../../domain/Primitives.ts"
import { blobParametersAt, type ChainParameters, epochOf, epochStart, serveRange } from "../../domain/network/Chain.ts"
import type { BlobPool } from "./BlobPool.ts"
import { type DevBlock, makeBlock } from "./DevBlock.ts"
import { DevnetError } from "../DevnetError.ts"
import type { PartialBlocks } from "./PartialBlocks.ts"
import { type Random, seeded } from "./Random.ts"

/** What determines a chain. */
export interface ChainRules {
  readonly parameters: ChainParameters
  readonly pool: BlobPool
  readonly seed: number
  /** In every block, as far as the limit of its slot allows; from none up to that limit if left out. */
  readonly blobs?: number | undefined
  /** The first slot whose blocks are signed by their proposers; none is if left out. */
  readonly signedFrom?: number | undefined
  readonly partial?: PartialBlocks | undefined
}

/** The chain as it stands at one moment. */
export interface ChainState {
  /** The last slot that was given its block, or was left empty. */
  readonly slot: number
  readonly head: DevBlock
  readonly genesis: DevBlock
  /** Blocks are known from this slot on, the genesis block aside. */
  readonly earliestSlot: number
  /** By slot. */
  readonly canonical: ReadonlyMap<number, DevBlock>
  /** Canonical blocks and, for an epoch or two, those that a reorg has orphaned. */
  readonly byRoot: ReadonlyMap<Root, DevBlock>
}

export interface Checkpoint {
  readonly epoch: number
  /** The zero root at epoch 0, as on every chain before its first finality. */
  readonly root: Root
}

export interface Reorg {
  readonly oldHead: DevBlock
  readonly newHead: DevBlock
  /** Slots from the common ancestor to the old head. */
  readonly depth: number
  /** The blocks that took the place of others, ascending. */
  readonly blocks: ReadonlyArray<DevBlock>
}

/** The state at slot 0. */
export const genesisState = (rules: ChainRules): ChainState => {
  const genesis = makeBlock(rules.parameters, rules.pool, {
    seed: rules.seed,
    slot: 0,
    parentRoot: new Uint8Array(32),
    parentHash: new Uint8Array(32),
    variant: 0,
    blobs: []
  })
  return {
    slot: 0,
    head: genesis,
    genesis,
    earliestSlot: 0,
    canonical: new Map([[0, genesis]]),
    byRoot: new Map([[genesis.root, genesis]])
  }
}

/** Gives every slot up to `slot` its block, or leaves it empty, and forgets what is out of the retention period. */
export const grow = (rules: ChainRules, state: ChainState, slot: number): ChainState => {
  if (slot <= state.slot) return state
  const canonical = new Map(state.canonical)
  const byRoot = new Map(state.byRoot)
  let head = state.head
  for (let next = state.slot + 1; next <= slot; next++) {
    const random = seeded(rules.seed, "slot", next)
    const published = rules.partial?.(next)
    if (random.chance(emptySlots) && published === undefined) continue
    head = makeBlock(rules.parameters, rules.pool, {
      seed: rules.seed,
      slot: next,
      parentRoot: fromHex(head.root),
      parentHash: head.blockHash,
      variant: 0,
      isSigned: next >= (rules.signedFrom ?? Infinity),
      blobs: pickBlobs(rules, next, 0, blobCount(rules, next, random)),
      published
    })
    canonical.set(next, head)
    byRoot.set(head.root, head)
  }
  const grown = { ...state, slot, head, canonical, byRoot }
  const { parameters } = rules
  return epochOf(parameters, state.slot) === epochOf(parameters, slot) ? grown : forget(parameters, grown)
}

/**
 * Replaces the blocks of the last `depth` slots by others with other roots and, unless prescribed, blob counts; `variant` (from 1) must be
 * another one each time. Fails where finality would be undone.
 */
export const reorganise = (
  rules: ChainRules,
  state: ChainState,
  depth: number,
  variant: number
): Either.Either<readonly [ChainState, Reorg], DevnetError> => {
  const first = state.slot - depth + 1
  const lowest = epochStart(rules.parameters, finalized(rules.parameters, state).epoch) + 1
  if (!Number.isInteger(depth) || depth < 1 || first < lowest) {
    return Either.left(
      new DevnetError({ reason: `a reorg is 1 to ${state.slot - lowest + 1} slots deep at this moment, not ${depth}` })
    )
  }
  const ancestor = blockAtOrBefore(state, first - 1)
  const canonical = new Map(state.canonical)
  const byRoot = new Map(state.byRoot)
  const blocks: Array<DevBlock> = []
  let head = ancestor
  for (let slot = first; slot <= state.slot; slot++) {
    const random = seeded(rules.seed, "reorg", variant, slot)
    const replaced = canonical.get(slot)?.blobs.length
    canonical.delete(slot)
    const published = rules.partial?.(slot)
    if (slot < state.slot && random.chance(emptySlots) && published === undefined) continue
    const count = blobCount(rules, slot, random, replaced)
    head = makeBlock(rules.parameters, rules.pool, {
      seed: rules.seed,
      slot,
      parentRoot: fromHex(head.root),
      parentHash: head.blockHash,
      variant,
      isSigned: slot >= (rules.signedFrom ?? Infinity),
      blobs: pickBlobs(rules, slot, variant, count),
      published
    })
    blocks.push(head)
    canonical.set(slot, head)
    byRoot.set(head.root, head)
  }
  const reorg = { oldHead: state.head, newHead: head, depth: state.head.slot - ancestor.slot, blocks }
  return Either.right([{ ...state, head, canonical, byRoot }, reorg])
}

/** The checkpoint of `epoch`: the last block at or before its first slot. */
export const checkpointAt = (parameters: ChainParameters, state: ChainState, epoch: number): Checkpoint =>
  epoch <= 0
    ? { epoch: 0, root: toHex(new Uint8Array(32)) }
    : { epoch, root: blockAtOrBefore(state, epochStart(parameters, epoch)).root }

/** An epoch is final two epochs later. */
export const finalized = (parameters: ChainParameters, state: ChainState): Checkpoint =>
  checkpointAt(parameters, state, epochOf(parameters, state.head.slot) - 2)

/** The block of the finalized checkpoint; the genesis block at first. */
export const finalizedBlock = (parameters: ChainParameters, state: ChainState): DevBlock =>
  blockAtOrBefore(state, epochStart(parameters, finalized(parameters, state).epoch))

/** Whether the block is one of the chain, and no orphan. */
export const isCanonical = (state: ChainState, block: DevBlock): boolean =>
  state.canonical.get(block.slot)?.root === block.root

/** The last canonical block that is not after `slot`. */
export const blockAtOrBefore = (state: ChainState, slot: number): DevBlock => {
  for (let at = slot; at >= state.earliestSlot; at--) {
    const block = state.canonical.get(at)
    if (block !== undefined) return block
  }
  return state.genesis
}

/** The share of slots without a block. */
const emptySlots = 0.1
/** For how many slots an orphan is still served by its root. */
const orphanSlots = 64

/** How many blobs the block of a slot has; where they are not prescribed, other than `replaced`. */
const blobCount = (
  { blobs, parameters, partial, pool }: ChainRules,
  slot: number,
  random: Random,
  replaced?: number
): number => {
  const limit = Math.min(blobParametersAt(parameters, epochOf(parameters, slot)).maxBlobsPerBlock, pool.length)
  if (blobs !== undefined) return Math.min(blobs, limit)
  const count = replaced === undefined ? random.below(limit + 1) : (replaced + 1 + random.below(limit)) % (limit + 1)
  return partial?.(slot) === undefined ? count : Math.max(count, 1)
}

const pickBlobs = ({ pool, seed }: ChainRules, slot: number, variant: number, count: number): ReadonlyArray<number> =>
  seeded(seed, "blobs of", slot, variant)
    .shuffled(pool.map((_, index) => index))
    .slice(0, count)

/** Drops blocks out of the retention period (two epochs of grace) and old orphans. */
const forget = (parameters: ChainParameters, state: ChainState): ChainState => {
  const edge = serveRange(parameters, state.slot).start - 2 * parameters.slotsPerEpoch
  const earliestSlot = state.slot > parameters.retentionEpochs * parameters.slotsPerEpoch ? Math.max(edge, 0) : 0
  const canonical = new Map([...state.canonical].filter(([slot]) => slot === 0 || slot >= earliestSlot))
  const byRoot = new Map(
    [...state.byRoot].filter(
      ([root, block]) => canonical.get(block.slot)?.root === root || block.slot > state.slot - orphanSlots
    )
  )
  return { ...state, earliestSlot, canonical, byRoot }
}
