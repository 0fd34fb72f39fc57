import { Effect, Either, Option } from "effect"
import type { Block } from "../../domain/network/Block.ts"
import { forkAt, type SlotRange } from "../../domain/network/Chain.ts"
import type { Root } from "../../domain/Primitives.ts"
import type { DecodedBlock } from "./BeaconBlock.ts"
import type { BeaconNode, Header } from "./BeaconNode.ts"
import { foreignReason, oldestReason } from "./NodeLimits.ts"

/** Where a walk begins: the root of a block that a link from above, or the head, vouches for. */
export interface Link {
  readonly root: Root
  /** Its block is at a slot below this one. */
  readonly below: number
  /** Whose parent it is, if that block was read. */
  readonly child: Option.Option<DecodedBlock>
}

/** What a walk down the links of a chain has found of a range. */
export interface Walk {
  /** The chain's blocks by slot; none for one that the node does not give. */
  readonly steps: ReadonlyMap<number, Option.Option<Block>>
  /** Down to this slot it is proven which slots have a block. */
  readonly lowest: number
  /** Why it ends there, or why a block is not given. */
  readonly reason: Option.Option<string>
  /** Whether it ends there because the node does not know the parent. */
  readonly isOldest: boolean
  /** Whether the node gave a block that is not of this chain, or contradicts itself otherwise. */
  readonly isTorn: boolean
}

/** Blocks that are not given, on one walk: the header of each is a request. */
const maxUnread = 32

/** Follows parent roots from `top` to the start of the range: over the blocks that were found, else over headers. */
export const walkDown = Effect.fnUntraced(function* (
  node: BeaconNode,
  range: SlotRange,
  top: Link,
  found: ReadonlyMap<number, DecodedBlock>
) {
  const byRoot = new Map([...found.values()].map((block) => [block.root, block]))
  const steps = new Map<number, Option.Option<Block>>()
  let reason = Option.none<string>()
  let unread = 0
  let link = top
  const walk = (lowest: number, end: Partial<Walk> = {}): Walk => ({
    steps,
    lowest,
    reason,
    isOldest: false,
    isTorn: [...found.keys()].some((slot) => slot >= lowest && slot < top.below && !steps.has(slot)),
    ...end
  })

  while (link.below > range.start) {
    const block = byRoot.get(link.root)
    const step = block === undefined ? yield* stepByHeader(node, link, found) : Either.right(stepTo(block, link.child))
    if (Either.isLeft(step)) return walk(link.below, { ...step.left, reason: Option.some(step.left.reason) })
    const { header, slot } = step.right
    if (slot >= link.below) return walk(link.below, { reason: Option.some(tornReason), isTorn: true })
    if (slot < range.start) break
    steps.set(slot, step.right.block)
    if (Option.isSome(header)) {
      const other = found.get(slot)
      if (other !== undefined && !isTwin(other, header.value)) return walk(slot, { isTorn: true })
      reason = Option.some(
        other === undefined ? `it does not give the block of slot ${slot}` : foreignReason(other.fork)
      )
      if (++unread > maxUnread) return walk(slot)
    }
    link = { root: step.right.parentRoot, below: slot, child: step.right.child }
  }
  return walk(range.start)
})

export const tornReason = "the blocks are not one chain; a reorg is under way"

interface Step {
  readonly slot: number
  readonly parentRoot: Root
  readonly block: Option.Option<Block>
  /** The block as the child of the next one down. */
  readonly child: Option.Option<DecodedBlock>
  /** What is known of a block that is not given. */
  readonly header: Option.Option<Header>
}

const stepTo = (block: DecodedBlock, child: Option.Option<DecodedBlock>): Step => ({
  slot: block.slot,
  parentRoot: block.parentRoot,
  block: Option.some({
    slot: block.slot,
    root: block.root,
    parentRoot: block.parentRoot,
    fork: block.fork,
    commitments: block.commitments,
    signature: block.signature,
    payload: payloadOf(block, child),
    proof: block.proof
  }),
  child: Option.some(block),
  header: Option.none()
})

/**
 * Whether the block's payload counts, by what its child was built upon: get_parent_payload_status (gloas/fork-choice.md).
 * Before Gloas it is a part of the block.
 */
const payloadOf = (block: DecodedBlock, child: Option.Option<DecodedBlock>): Block["payload"] => {
  if (Option.isNone(block.bid) || block.commitments.length === 0) return "full"
  const built = Option.flatMap(child, ({ bid }) => bid)
  if (Option.isNone(built)) return "unknown"
  return built.value.parentBlockHash === block.bid.value.blockHash ? "full" : "empty"
}

/** The step to a block that was not found under its root. */
const stepByHeader = Effect.fnUntraced(function* (
  node: BeaconNode,
  link: Link,
  found: ReadonlyMap<number, DecodedBlock>
): Effect.fn.Return<Either.Either<Step, { readonly reason: string; readonly isOldest: boolean }>> {
  const answer = yield* Effect.either(node.header(link.root))
  if (Either.isLeft(answer)) return Either.left({ reason: answer.left.message, isOldest: false })
  const header = Option.isSome(answer.right) ? answer.right : yield* genesisHeader(node, link)
  if (Option.isNone(header)) return Either.left({ reason: oldestReason(link.below), isOldest: true })
  const { parentRoot, slot } = header.value
  if (slot === 0) return Either.right(genesisStep(node, header.value))
  const twin = found.get(slot)
  if (twin !== undefined && isTwin(twin, header.value)) {
    if (node.trustsRoots) return Either.right(stepTo({ ...twin, root: link.root, proof: undefined }, link.child))
    yield* node.limits.setForeign(twin.fork, `slot ${slot}: ${link.root} there, ${twin.root} here`)
  }
  return Either.right({ slot, parentRoot, block: Option.none(), child: Option.none(), header })
})

/** Whether the block is that of the header but for what is computed from its body. */
const isTwin = (block: DecodedBlock, header: Header): boolean =>
  block.parentRoot === header.parentRoot &&
  block.stateRoot === header.stateRoot &&
  block.proposerIndex === header.proposerIndex

/** What is the parent of slot 1 is at slot 0; of other slots the node must say that it is. */
const genesisHeader = (node: BeaconNode, { below, root }: Link): Effect.Effect<Option.Option<Header>> =>
  below === 1
    ? Effect.succeedSome({ slot: 0, root, parentRoot: zeroRoot, stateRoot: zeroRoot, proposerIndex: 0 })
    : Effect.map(
        Effect.orElseSucceed(node.genesis, () => Option.none<Header>()),
        Option.filter((header) => header.slot === 0 && header.root === root)
      )

const zeroRoot = `0x${"00".repeat(32)}`

/** The genesis block was never proposed: its body is empty, and some nodes answer as if there were none. */
const genesisStep = (node: BeaconNode, { parentRoot, root }: Header): Step => ({
  slot: 0,
  parentRoot,
  block: Option.some({
    slot: 0,
    root,
    parentRoot,
    fork: forkAt(node.chain, 0).name,
    commitments: [],
    signature: Option.none(),
    payload: "full"
  }),
  child: Option.none(),
  header: Option.none()
})
