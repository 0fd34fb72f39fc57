import { Clock, Duration, Effect, Either, Option } from "effect"
import type { CommitmentCache } from "../chain/CommitmentCache.ts"
import { cutAt, extendDown, extendUp, nothingUpTo, raiseTo, type SlotState } from "../domain/custody/Complete.ts"
import { hasColumns, type SlotFacts, slotOf } from "../domain/network/Block.ts"
import { maxRequestBlocks, type SlotRange } from "../domain/network/Chain.ts"
import type { Root, Slot } from "../domain/Primitives.ts"
import type { ExternsError } from "../host/Externs.ts"
import type { CustodyClaim } from "../host/OwnCustody.ts"
import type { CustodyStore, CustodyStoreError } from "./CustodyStore.ts"

/** A canonical block of which we lack columns that we owe. */
export interface Lacking {
  readonly slot: Slot
  readonly root: Root
  readonly columns: ReadonlyArray<number>
}

export interface AccountOptions {
  /** Those that we owe, ascending. */
  readonly columns: ReadonlyArray<number>
  readonly store: CustodyStore["Type"]
  readonly commitments: Pick<CommitmentCache["Type"], "range" | "replacedSince" | "headSlot">
}

/**
 * Of which slots we have everything, found by holding what is on disk against the chain: so it is right after a restart, a
 * kill or a loss, without anything that must be written beside the columns.
 */
export interface Account {
  /** Looks at what is new, and on into the past; nothing before `lowest` counts. */
  readonly look: (lowest: Slot) => Effect.Effect<void, ExternsError | CustodyStoreError>
  /** As of the last look that came to an end. */
  readonly claim: () => CustodyClaim
  /** Blocks to fill, the newest first: young ones, and the one behind which the past begins. */
  readonly lacking: () => ReadonlyArray<Lacking>
  /** Columns of a slot are there that were not: if it is in the past, that is looked at again at once. */
  readonly written: (slot: Slot) => void
  /** Nothing can be said of what is there. */
  readonly lose: (head: Slot) => void
}

export const makeAccount = Effect.fnUntraced(function* ({ columns, commitments, store }: AccountOptions) {
  const begunAt = yield* commitments.headSlot
  const [oldest] = yield* Effect.orElseSucceed(store.oldest(1), () => [])
  // Who was away for a moment gets what it missed as what is young, and claims meanwhile what it did before.
  let complete = nothingUpTo(Math.min(begunAt, Math.max(begunAt - patience, (oldest?.slot ?? Infinity) - 1)))
  let claim: CustodyClaim = { earliestAvailableSlot: complete.start, head: Option.none() }
  /** Up to here orphans are removed. */
  let sweptTo = begunAt - orphanSlots - maxRequestBlocks
  let { seen } = commitments.replacedSince(0)
  let young: ReadonlyArray<Lacking> = []
  let gap: Lacking | undefined
  /** The past is looked at again then, once it went no further. */
  let pastAt = -Infinity
  let pauseMs = shortestPauseMs

  /** What is so of each slot of a range; what the chain does not tell is left out. Orphans that are old are removed. */
  const read = Effect.fnUntraced(function* (range: SlotRange, head: Slot) {
    const facts = yield* commitments.range(range)
    const kept = new Map((yield* store.blocks(range)).map((block) => [block.root, block]))
    const canonical = new Set(facts.flatMap((fact) => (fact._tag === "Block" ? [fact.block.root] : [])))
    const told = new Set(facts.map(slotOf))
    for (const { root, slot } of kept.values()) {
      if (slot < head - orphanSlots && told.has(slot) && !canonical.has(root)) yield* store.remove(root)
    }
    const lacking = new Map<Slot, Lacking>()
    const states = new Map<Slot, SlotState>()
    for (const fact of facts) {
      const missing = columns.filter((column) => !has(kept, fact, column))
      states.set(slotOf(fact), stateOf(fact, missing.length === 0))
      if (fact._tag === "Block" && hasColumns(fact.block) && missing.length > 0) {
        lacking.set(fact.block.slot, { slot: fact.block.slot, root: fact.block.root, columns: missing })
      }
    }
    return { lacking, stateAt: (slot: Slot): SlotState => states.get(slot) ?? "unknown" }
  })

  const lookUp = Effect.fnUntraced(function* (head: Slot) {
    const found: Array<Lacking> = []
    for (let from = complete.end + 1; from <= head; from += maxRequestBlocks) {
      const range = { start: from, end: Math.min(head, from + maxRequestBlocks - 1) }
      const { lacking, stateAt } = yield* read(range, head)
      complete = extendUp(complete, stateAt, { head: range.end, patience: Math.max(0, patience - (head - range.end)) })
      found.push(...lacking.values())
    }
    young = found.filter(({ slot }) => slot > complete.end).reverse()
    const [last] = found.filter(({ slot }) => slot < complete.start).reverse()
    if (last !== undefined) {
      gap = last
      pastAt = -Infinity
    }
  })

  const lookBack = Effect.fnUntraced(function* (head: Slot, lowest: Slot) {
    for (let steps = 0; steps < mostSteps && complete.start > lowest; steps++) {
      const before = complete.start
      const range = { start: Math.max(lowest, before - maxRequestBlocks), end: before - 1 }
      const found = yield* Effect.either(read(range, head))
      if (Either.isLeft(found) && found.left._tag === "CustodyStoreError") return yield* found.left
      if (Either.isRight(found)) {
        complete = extendDown(complete, found.right.stateAt, range.start)
        gap = found.right.lacking.get(complete.start - 1)
      }
      if (complete.start > range.start) {
        pauseMs = complete.start < before ? shortestPauseMs : Math.min(longestPauseMs, pauseMs * 2)
        pastAt = (yield* Clock.currentTimeMillis) + pauseMs
        return
      }
      yield* Effect.yieldNow()
    }
  })

  /** Those among what is complete, which is not read again: what is removed is no part of the claim. */
  const sweep = Effect.fnUntraced(function* (head: Slot) {
    const range = { start: Math.max(0, sweptTo + 1), end: Math.min(sweptTo + maxRequestBlocks, head - orphanSlots - 1) }
    if (range.start > range.end) return
    const swept = yield* Effect.either(read(range, head))
    if (Either.isLeft(swept) && swept.left._tag === "CustodyStoreError") return yield* swept.left
    if (Either.isRight(swept)) sweptTo = range.end
  })

  const tell = Effect.fnUntraced(function* () {
    const { end, start } = complete
    if (start > end) {
      claim = { earliestAvailableSlot: start, head: Option.none() }
      return
    }
    const facts = yield* commitments.range({ start: Math.max(0, end - slotsWithBlock + 1), end })
    const blocks = facts.flatMap((fact) => (fact._tag === "Block" ? [fact.block] : []))
    const { root, slot } = blocks.reduce((a, b) => (b.slot > a.slot ? b : a), { slot: -1, root: "" })
    const before = Option.filter(claim.head, (head) => head.slot <= end)
    claim = { earliestAvailableSlot: start, head: slot < 0 ? before : Option.some({ slot, root }) }
  })

  const look = Effect.fnUntraced(function* (lowest: Slot) {
    const head = yield* commitments.headSlot
    const replaced = commitments.replacedSince(seen)
    seen = replaced.seen
    for (const { slot } of replaced.blocks) complete = cutAt(complete, slot)
    complete = raiseTo(complete, lowest)
    yield* lookUp(head)
    if (gap !== undefined && gap.slot < lowest) gap = undefined
    if ((yield* Clock.currentTimeMillis) >= pastAt) yield* lookBack(head, lowest)
    yield* tell()
    yield* sweep(head)
  })

  const account: Account = {
    look,
    claim: () => claim,
    lacking: () => [...young, ...(gap === undefined ? [] : [gap])],
    written: (slot) => {
      if (slot < complete.start) pastAt = -Infinity
    },
    lose: (head) => {
      complete = nothingUpTo(head)
      claim = { earliestAvailableSlot: complete.start, head: Option.none() }
      young = []
      gap = undefined
      pastAt = -Infinity
    }
  }
  return account
})

const has = (
  kept: ReadonlyMap<Root, { readonly columns: ReadonlyArray<number> }>,
  fact: SlotFacts,
  column: number
): boolean => fact._tag === "Block" && kept.get(fact.block.root)?.columns.includes(column) === true

const stateOf = (fact: SlotFacts, isWhole: boolean): SlotState => {
  if (fact._tag === "Empty" || fact.block.commitments.length === 0) return "complete"
  // Without its payload a block has no columns; whether it has one may not be known yet.
  if (fact.block.payload === "unknown") return "unknown"
  return fact.block.payload === "empty" || isWhole ? "complete" : "lacking"
}

/**
 * Slots that columns of a block are waited for, and asked of peers; the head that we tell stays before it for so long. Only
 * then is it a gap, and the claim begins behind it. A node is as far as others, to Lighthouse, up to 32 slots behind them.
 */
const patience = 16
/** Somewhere among so many slots there is a block. */
const slotsWithBlock = 32
/** An orphan is served by root while it is younger than this. */
const orphanSlots = 64
/** Of 128 slots, at most, into the past in one look. */
const mostSteps = 16
const shortestPauseMs = Duration.toMillis("2 seconds")
const longestPauseMs = Duration.toMillis("1 minute")
