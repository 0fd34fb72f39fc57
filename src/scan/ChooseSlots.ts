import { Clock, Effect, Either, Option, Random, Schedule } from "effect"
import { CommitmentCache } from "../chain/CommitmentCache.ts"
import { hasColumns, type SlotFacts } from "../domain/network/Block.ts"
import { numberOfColumns, type SlotRange, slotAt } from "../domain/network/Chain.ts"
import { accountableFrom, type ClaimHistory, owedRange, usualMargins } from "../domain/peer/ClaimHistory.ts"
import type { Slot } from "../domain/Primitives.ts"
import { Externs } from "../host/Externs.ts"
import { finalityFor } from "../probe/Finality.ts"
import { uniform } from "../sampler/Uniform.ts"
import { settledUpTo } from "./Reserve.ts"
import { usualSlots } from "./ScanOptions.ts"
import { drawSlots, partsOf } from "./SlotDraw.ts"
import type { Subject } from "./Subject.ts"

/** Slots of one part that are looked at for one with columns. */
const mostDraws = 8
/** Parts that are looked at at once. */
const concurrency = 4
/** Slots that were passed over, of which a report names no more. */
const mostNamed = 128

/**
 * Chooses the slots that a target is asked for: those that were named, or random ones of all that can be judged. Gives
 * none where there is nothing to ask, and the log says why.
 */
export const makeChooseSlots = Effect.gen(function* () {
  const { chain } = yield* Externs
  const commitments = yield* CommitmentCache

  /** It may not have been told yet. */
  const finalized = commitments.finalized.pipe(
    Effect.repeat({
      schedule: Schedule.intersect(Schedule.spaced("500 millis"), Schedule.recurs(20)),
      until: Option.isSome
    })
  )

  /** Left: why the slot cannot be told. */
  const facts = (slot: Slot): Effect.Effect<Either.Either<SlotFacts, string>> =>
    Effect.map(Effect.either(commitments.range({ start: slot, end: slot })), (known) => {
      if (Either.isLeft(known)) return Either.left(known.left.message)
      const [fact] = known.right
      return fact === undefined ? Either.left("the beacon node cannot tell its block") : Either.right(fact)
    })

  const passOver = ({ log }: Subject, slot: Slot, reason: string): void => {
    if (log.passedOver.length < mostNamed) log.passedOver.push({ slot, reason })
  }

  /** The first slot with columns of some random ones. */
  const drawIn = Effect.fnUntraced(function* (subject: Subject, part: SlotRange, random: () => number) {
    for (const slot of drawSlots(part, mostDraws, random)) {
      const fact = yield* facts(slot)
      if (Either.isLeft(fact)) passOver(subject, slot, `the chain cannot be asked for it: ${fact.left}`)
      else if (fact.right._tag === "Block" && hasColumns(fact.right.block)) return [slot]
    }
    return []
  })

  const named = Effect.fnUntraced(function* (subject: Subject, range: SlotRange, claims: ClaimHistory) {
    const { only } = subject.options
    const slots: Array<Slot> = []
    for (const slot of [...new Set(only)].sort((a, b) => a - b)) {
      const reason = outside(slot, range, claims)
      const fact = reason === undefined ? yield* facts(slot) : undefined
      if (reason !== undefined) passOver(subject, slot, reason)
      else if (fact === undefined || Either.isLeft(fact)) passOver(subject, slot, fact?.left ?? "")
      else if (fact.right._tag === "Empty") passOver(subject, slot, "it has no block")
      else if (!hasColumns(fact.right.block)) passOver(subject, slot, "its block has no blobs, so it has no columns")
      else slots.push(slot)
    }
    return slots
  })

  const outside = (slot: Slot, range: SlotRange, { current }: ClaimHistory): string | undefined => {
    if (slot > range.end) {
      return `it is too new: the peer's head is ${current.headSlot}, and the last ${usualMargins.headSlots} slots are left alone`
    }
    if (slot >= range.start) return undefined
    return `it is too old: the peer answers for slots from ${range.start} on (it claims them from ${current.earliestAvailableSlot ?? "an unknown slot"} on)`
  }

  return Effect.fn("Scan.chooseSlots")(function* (subject: Subject, claims: ClaimHistory) {
    const { log, options } = subject
    yield* finalized
    const finality = yield* finalityFor(chain, commitments, claims.current)
    log.finality = Option.some(finality)
    const headSlot = yield* commitments.headSlot
    log.ours = { ...log.ours, headSlot, finalizedEpoch: finalizedEpochOf(yield* commitments.finalized) }
    const now = Math.max(0, slotAt(chain, yield* Clock.currentTimeMillis))
    const owed = owedRange(chain, claims, headSlot, now, usualMargins)
    const settled = settledUpTo(chain, finality.upTo)
    const judged = { start: owed.start, end: Math.min(owed.end, settled) }
    const range = options.only.length > 0 || judged.start > judged.end ? owed : judged
    log.columns =
      options.columns === "all"
        ? Array.from({ length: numberOfColumns }, (_, column) => column)
        : claims.current.columns
    if (owed.start > owed.end) {
      log.failure = Option.some({ _tag: "NothingToAsk", detail: nothingOwed(claims, owed, chain.slotsPerEpoch) })
      return { slots: [], settled }
    }
    log.range = Option.some(range)
    if (judged.start > judged.end) {
      log.notes.push("nothing that it claims has been final for long enough: what it leaves out can only be suspected")
    }
    const random = uniform(yield* Random.nextInt)
    const parts = partsOf(range, options.slots ?? usualSlots(claims.current.columns.length))
    const slots =
      options.only.length > 0
        ? yield* named(subject, range, claims)
        : (yield* Effect.forEach(parts, (part) => drawIn(subject, part, random), { concurrency })).flat()
    log.slots = slots
    if (slots.length === 0) log.failure = Option.some(nothingFound(subject))
    return { slots, settled }
  })
})

const finalizedEpochOf = Option.match({
  onNone: () => null,
  onSome: ({ epoch }: { readonly epoch: number }) => epoch
})

const nothingOwed = (claims: ClaimHistory, owed: SlotRange, slotsPerEpoch: number): string => {
  const { earliestAvailableSlot, headSlot } = claims.current
  return accountableFrom(claims, slotsPerEpoch) > owed.end
    ? `it claims columns from slot ${earliestAvailableSlot ?? "(it does not say which)"} on, its head is ${headSlot}: nothing of that is old enough to be asked for yet`
    : `no slot that it must keep lies between ${owed.start} and ${owed.end}`
}

const nothingFound = ({ log, options }: Subject) => {
  const [first] = log.passedOver
  if (options.only.length > 0) {
    const detail = `none of the slots that were named can be asked for (${first === undefined ? "" : `${first.slot}: ${first.reason}`})`
    return { _tag: "NothingToAsk", detail } as const
  }
  return first === undefined
    ? ({ _tag: "NothingToAsk", detail: "no block with blobs was found in the slots that it owes" } as const)
    : ({ _tag: "NoTruth", detail: first.reason } as const)
}
