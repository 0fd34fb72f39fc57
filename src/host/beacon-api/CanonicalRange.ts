import { Data, Effect, Either, Option, Schedule } from "effect"
import type { Block } from "../../domain/network/Block.ts"
import type { SlotRange } from "../../domain/network/Chain.ts"
import { type KnownSlots, lackingOf } from "../ProvenRange.ts"
import type { DecodedBlock } from "./BeaconBlock.ts"
import { type BeaconFailure, lasting } from "./BeaconFailure.ts"
import type { BeaconNode, Header } from "./BeaconNode.ts"
import { type Link, tornReason, type Walk, walkDown } from "./ChainWalk.ts"

/** What one node proves of a range, and why that is not all of it. */
export interface RangeAnswer {
  readonly known: KnownSlots
  readonly failure: Option.Option<BeaconFailure>
}

/**
 * The canonical blocks of a range from one node, with proof that they are one chain: each block's parent is the one
 * before it, and the slots without a block are spanned by such a link. That way neither a reorg between two answers nor a
 * node that lacks old blocks can pass for empty slots, and it does not matter how a node says that a slot is empty. What
 * cannot be proven is left out.
 */
export const canonicalRange = Effect.fnUntraced(function* (
  node: BeaconNode,
  range: SlotRange
): Effect.fn.Return<RangeAnswer> {
  if (range.start > range.end) return { known: new Map(), failure: Option.none() }
  const limits = yield* node.limits.within(range)
  const { known, reason } =
    limits.range.start > limits.range.end
      ? nothing("")
      : yield* attempt(node, limits.range).pipe(
          Effect.retry({ schedule: reorgRetries, while: (error) => error._tag === "Torn" }),
          Effect.catchTags({
            Torn: ({ finding }) => Effect.succeed(finding),
            BeaconFailure: ({ message }) => Effect.succeed(nothing(message))
          })
        )
  const lacking = lackingOf(known, range)
  if (lacking.start > lacking.end) return { known, failure: Option.none() }
  const isLimited = Option.isSome(limits.reason) && lackingOf(known, limits.range).start > limits.range.end
  const why = isLimited || reason === "" ? Option.getOrElse(limits.reason, () => reason) : reason
  return { known, failure: Option.some(failure(node, range, why)) }
})

/** The slots ahead of a range that are searched for a block, to prove that the end of the range is empty. */
const lookAhead = 128
/** Failures on that search. */
const maxFailures = 8
/** Slots that are asked for once more. */
const maxAgain = 8
/** Slots without any answer, after which the node counts as away. */
const maxUnanswered = 3

const reorgRetries = Schedule.exponential("250 millis").pipe(Schedule.jittered, Schedule.intersect(Schedule.recurs(4)))
const pauseBeforeAgain = "300 millis"

interface Finding {
  readonly known: KnownSlots
  /** Why something is lacking, if it is. */
  readonly reason: string
}

const nothing = (reason: string): Finding => ({ known: new Map(), reason })

/** The blocks that came are of more than one chain. */
class Torn extends Data.TaggedError("Torn")<{ readonly finding: Finding }> {}

const attempt = Effect.fnUntraced(function* (node: BeaconNode, asked: SlotRange) {
  const head = yield* node.head
  const range = { start: asked.start, end: Math.min(asked.end, head.slot) }
  const behind = asked.end > head.slot ? `its head is at slot ${head.slot}${yield* lag(node)}` : ""
  if (range.start > range.end) return nothing(behind)

  const { failed, found } = yield* askAll(node, range)
  const top = yield* topOf(node, range, head, found)
  if (Option.isNone(top))
    return nothing(firstReason(failed) ?? (behind || `it has no block in the ${lookAhead} slots after`))
  const first = yield* walkDown(node, range, top.value, found)
  const walk = (yield* askAgain(node, range, first, found, failed))
    ? yield* walkDown(node, range, top.value, found)
    : first
  const hasOlder = [...found.keys()].some((slot) => slot < walk.lowest)
  if (walk.isOldest && !hasOlder) yield* node.limits.setOldest(walk.lowest)

  const known = new Map<number, Block | "empty">()
  for (let slot = walk.lowest; slot <= Math.min(range.end, top.value.below - 1); slot++) {
    const step = walk.steps.get(slot)
    if (step === undefined && !found.has(slot)) known.set(slot, "empty")
    else if (step !== undefined && Option.isSome(step)) known.set(slot, step.value)
  }
  const reason = walk.isTorn ? tornReason : Option.getOrElse(walk.reason, () => "")
  const finding: Finding = { known, reason: behind || (firstReason(failed, known) ?? reason) }
  return walk.isTorn ? yield* new Torn({ finding }) : finding
})

type Failed = Map<number, BeaconFailure>

const firstReason = (failed: Failed, known: KnownSlots = new Map()): string | undefined =>
  [...failed].find(([slot]) => !known.has(slot))?.[1].message

/** Every slot of the range once, as far as the node answers at all. */
const askAll = Effect.fnUntraced(function* (node: BeaconNode, { end, start }: SlotRange) {
  const found = new Map<number, DecodedBlock>()
  const failed: Failed = new Map()
  let unanswered = 0
  // The node's own permits bound what is really under way.
  yield* Effect.forEach(
    Array.from({ length: end - start + 1 }, (_, index) => start + index),
    (slot) =>
      Effect.matchEffect(node.block(slot), {
        onFailure: (error) => {
          failed.set(slot, error)
          if (error.transient && Option.isNone(error.status)) unanswered++
          return unanswered > maxUnanswered ? Effect.fail(error) : Effect.void
        },
        onSuccess: (block) =>
          Effect.sync(() => {
            if (Option.isSome(block)) found.set(slot, block.value)
          })
      }),
    { concurrency: 8, discard: true }
  )
  return { found, failed }
})

/** Asks once more for what its neighbours do not prove empty; gives whether a block came. */
const askAgain = Effect.fnUntraced(function* (
  node: BeaconNode,
  range: SlotRange,
  walk: Walk,
  found: Map<number, DecodedBlock>,
  failed: Failed
) {
  const unread = [...walk.steps].flatMap(([slot, step]) => (Option.isNone(step) && !found.has(slot) ? [slot] : []))
  const unproven = [...failed.keys()].filter((slot) => slot < walk.lowest)
  const slots = [...unread, ...unproven].filter((slot) => slot >= range.start && slot <= range.end).slice(0, maxAgain)
  if (slots.length === 0) return false
  yield* Effect.sleep(pauseBeforeAgain)
  const before = found.size
  for (const slot of slots) {
    const block = yield* Effect.either(node.block(slot, true))
    if (Either.isLeft(block)) failed.set(slot, block.left)
    else if (Option.isSome(block.right)) found.set(slot, block.right.value)
  }
  return found.size > before
})

/** The first link from above: from the head, from the next block, else from the newest block of the range itself. */
const topOf = Effect.fnUntraced(function* (
  node: BeaconNode,
  range: SlotRange,
  head: Header,
  found: ReadonlyMap<number, DecodedBlock>
): Effect.fn.Return<Option.Option<Link>> {
  const child = Option.none<DecodedBlock>()
  const after = range.end + 1
  if (head.slot === range.end) return Option.some({ root: head.root, below: after, child })
  const last = found.get(range.end)
  // From Gloas on the child is needed as well: it tells what its parent came to.
  if (last !== undefined && Option.isNone(last.bid)) return Option.some({ root: last.root, below: after, child })
  const next = yield* nextBlock(node, range.end, head)
  if (Option.isSome(next)) return Option.some({ root: next.value.parentRoot, below: next.value.slot, child: next })
  if (head.slot <= range.end + lookAhead) return Option.some({ root: head.parentRoot, below: head.slot, child })
  const newest = [...found.values()].reduce<DecodedBlock | undefined>(
    (newest, block) => (newest === undefined || block.slot > newest.slot ? block : newest),
    undefined
  )
  return Option.map(Option.fromNullable(newest), ({ root, slot }) => ({ root, below: slot + 1, child }))
})

/** The first block after `slot`, as far as it is looked for. */
const nextBlock = Effect.fnUntraced(function* (node: BeaconNode, slot: number, head: Header) {
  let failures = 0
  for (let next = slot + 1; next <= Math.min(slot + lookAhead, head.slot) && failures < maxFailures; next++) {
    const block = yield* Effect.either(node.block(next))
    if (Either.isLeft(block)) failures++
    else if (Option.isSome(block.right)) return block.right
  }
  return Option.none<DecodedBlock>()
})

const failure = (node: BeaconNode, { end, start }: SlotRange, reason: string): BeaconFailure =>
  lasting(`blocks ${start}..${end} of ${node.name}`, reason)

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
