import { Effect, Option, Schedule } from "effect"
import type { Block } from "../../domain/network/Block.ts"
import type { SlotRange } from "../../domain/network/Chain.ts"
import type { DecodedBlock } from "./BeaconBlock.ts"
import { BeaconFailure } from "./BeaconHttp.ts"
import type { BeaconNode, Header } from "./BeaconNode.ts"

/**
 * The canonical blocks of a range from one node, ascending, with proof that they are one chain: each block's parent is
 * the one before it, and the slots without a block are spanned by such a link. That way neither a reorg between two
 * answers nor a node that lacks old blocks (404 as well) can pass for empty slots.
 */
export const canonicalRange = (
  node: BeaconNode,
  range: SlotRange
): Effect.Effect<ReadonlyArray<Block>, BeaconFailure> =>
  attempt(node, range).pipe(Effect.retry({ schedule: reorgRetries, while: (error) => error.reason === reorgReason }))

/** The slots ahead of a range that are searched for a block, to prove that the end of the range is empty. */
const lookAhead = 128

const reorgReason = "the blocks are not one chain; a reorg is under way"
const reorgRetries = Schedule.exponential("250 millis").pipe(Schedule.jittered, Schedule.intersect(Schedule.recurs(4)))

const attempt = Effect.fnUntraced(function* (node: BeaconNode, range: SlotRange) {
  if (range.start > range.end) return []
  const fail = failure(node, range)
  const head = yield* node.head
  if (range.end > head.slot) return yield* fail(`its head is at slot ${head.slot}${yield* lag(node)}`)

  const slots = Array.from({ length: range.end - range.start + 1 }, (_, index) => range.start + index)
  // The node's own permits bound what is really under way.
  const found = yield* Effect.forEach(slots, node.block, { concurrency: 8 })
  const blocks = found.flatMap(Option.toArray)

  const linked: Array<DecodedBlock> = [...blocks]
  if (blocks.at(-1)?.slot !== range.end) linked.push(yield* nextBlock(node, range.end, head, fail))
  if (linked.some((block, index) => index > 0 && block.parentRoot !== linked[index - 1]?.root)) {
    return yield* fail(reorgReason)
  }
  if (blocks.at(-1)?.slot === head.slot && blocks.at(-1)?.root !== head.root) return yield* fail(reorgReason)

  const [first] = linked
  if (first !== undefined && first.slot > range.start) {
    const parent = yield* node.header(first.parentRoot)
    if (Option.isNone(parent)) {
      return yield* fail(`it does not have the parent of slot ${first.slot}: not filled back that far, or pruned`)
    }
    if (parent.value.slot >= range.start) return yield* fail(reorgReason)
  }
  return yield* Effect.forEach(blocks, (block) =>
    Effect.map(node.payload(block, head.slot), (payload): Block => ({ ...block, payload }))
  )
})

type Fail = (reason: string) => Effect.Effect<never, BeaconFailure>

const failure =
  (node: BeaconNode, { end, start }: SlotRange): Fail =>
  (reason) =>
    Effect.fail(
      new BeaconFailure({
        operation: `blocks ${start}..${end} of ${node.name}`,
        reason,
        status: Option.none(),
        transient: false
      })
    )

/** The first block after `slot`; only its link is used. */
const nextBlock = Effect.fnUntraced(function* (node: BeaconNode, slot: number, head: Header, fail: Fail) {
  if (head.slot <= slot) return yield* fail(reorgReason)
  for (let next = slot + 1; next <= Math.min(slot + lookAhead, head.slot); next++) {
    const block = yield* node.block(next)
    if (Option.isSome(block)) return block.value
  }
  return yield* fail(head.slot - slot <= lookAhead ? reorgReason : `it has no block in the ${lookAhead} slots after`)
})

/** What is known of why a node's head is not where it should be; empty when it is in good health or does not say. */
const lag = (node: BeaconNode): Effect.Effect<string> =>
  Effect.match(node.syncing, {
    onFailure: () => "",
    onSuccess: ({ distance, isElOffline, isOptimistic, isSyncing }) =>
      [
        isSyncing ? `, it is syncing (${distance} slots behind)` : "",
        isOptimistic ? ", optimistic" : "",
        isElOffline ? ", its execution client is offline" : ""
      ].join("")
  })
