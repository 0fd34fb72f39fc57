import { Effect, Option } from "effect"
import type { Checkpoint } from "../../../domain/peer/Claim.ts"
import type { Root, Slot } from "../../../domain/Primitives.ts"
import type { BeaconNode } from "../BeaconNode.ts"

/** What a node has finalized, as it told of it one after the other. */
export interface FinalizedChain {
  readonly node: BeaconNode
  /** Ascending by epoch, the newest few. */
  readonly checkpoints: ReadonlyArray<FinalizedBlock>
}

export interface FinalizedBlock extends Checkpoint {
  /** Of the checkpoint's block; none while it is not known. */
  readonly slot: Option.Option<Slot>
}

/** Whether two nodes have finalized one chain; `unknown` while it cannot be told. */
export type Agreement = "agree" | "disagree" | "unknown"

/**
 * Compares by the newest epoch of which both have told, else by asking the one that is further for what it has where the
 * other one's newest checkpoint is. That they disagree is said only where the links between blocks prove it.
 */
export const compareFinality = Effect.fnUntraced(function* (
  one: FinalizedChain,
  other: FinalizedChain
): Effect.fn.Return<Agreement> {
  const common = one.checkpoints.findLast(({ epoch }) => other.checkpoints.some((theirs) => theirs.epoch === epoch))
  const theirs = other.checkpoints.find(({ epoch }) => epoch === common?.epoch)
  if (common !== undefined && theirs !== undefined) return common.root === theirs.root ? "agree" : "disagree"
  const [a, b] = [one.checkpoints.at(-1), other.checkpoints.at(-1)]
  if (a === undefined || b === undefined) return "unknown"
  return a.epoch > b.epoch ? yield* isAncestor(one.node, a, b) : yield* isAncestor(other.node, b, a)
})

/** By the word of the node that is further, or down the links from what it has finalized. */
const isAncestor = Effect.fnUntraced(function* (
  node: BeaconNode,
  newer: FinalizedBlock,
  older: FinalizedBlock
): Effect.fn.Return<Agreement> {
  if (Option.isNone(older.slot)) return "unknown"
  const slot = older.slot.value
  const told = yield* Effect.option(node.headerAt(slot))
  if (Option.exists(Option.flatten(told), ({ root }) => root === older.root)) return "agree"
  let next: Root = newer.root
  for (let step = 0; step < mostSteps; step++) {
    const header = Option.flatten(yield* Effect.option(node.header(next)))
    if (Option.isNone(header)) return "unknown"
    if (header.value.slot <= slot) return header.value.root === older.root ? "agree" : "disagree"
    next = header.value.parentRoot
  }
  return "unknown"
})

/** Headers that are asked for, one after the other: five epochs. */
const mostSteps = 160
