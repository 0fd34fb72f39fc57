import { Clock, Effect, Either, Option } from "effect"
import type { CommitmentCache } from "../chain/CommitmentCache.ts"
import { rootOf } from "../domain/network/Block.ts"
import { type ChainParameters, slotAt, surelyServedFrom } from "../domain/network/Chain.ts"
import { type ClaimHistory, extendClaims, isAccountable, owes } from "../domain/peer/ClaimHistory.ts"
import { type ClaimParts, makeClaim } from "../domain/peer/ClaimParts.ts"
import type { Outcome } from "../domain/probe/Job.ts"
import { blameOf, describe, outcomeOf, type ProbeError, Suspected, Unverifiable } from "../domain/probe/Outcome.ts"
import type { Root, Slot } from "../domain/Primitives.ts"
import { finalityFor } from "./Finality.ts"
import type { Finished } from "./VerifyDelivered.ts"

/** What the peer says once it has answered; a claim that moved meanwhile excuses what it no longer covers. */
export interface Afterwards {
  readonly chain: ChainParameters
  readonly nodeId: Uint8Array
  readonly claims: ClaimHistory
  readonly commitments: CommitmentCache["Type"]
  readonly claimNow: Effect.Effect<Omit<ClaimParts, "nodeId">, unknown>
  /** Why nobody may be accused at this moment of what they lack in a slot. */
  readonly selfDoubt: Effect.Effect<(slot: Slot) => Option.Option<string>>
  /** Why the peer is not blamed for lacking a column of a block. */
  readonly publication: Effect.Effect<(root: Root, column: number) => Option.Option<string>>
  /** Whether it was final already when an earlier conversation left it out. */
  readonly wasFinal: (slot: Slot, column: number) => boolean
  /** Why what is not evidence by itself may not be accused yet, for reasons of whoever asks; a sentence. */
  readonly reserve?: ((slot: Slot, column: number) => Option.Option<string>) | undefined
}

export interface Settled {
  readonly finished: ReadonlyArray<Finished>
  /** What the peer said of itself, if it was asked. */
  readonly statement: Option.Option<Omit<ClaimParts, "nodeId">>
  /** Whether the peer would not say any more that it has what it left out, or said that it does not. */
  readonly evaded: boolean
  /** The last slot that is final to us, and to the peer on the same chain; -1 where nothing goes by that. */
  readonly finalUpTo: Slot
}

/**
 * The last look before anyone is accused. The chain must still say the same of every slot in question, and have
 * finalized it, before the first of the conversations that count: clients move what becomes final from one database to
 * another, and have it in neither for a while. A peer that left something out must still claim it, still have to keep
 * it, and name a finalized checkpoint on our chain; and the monitor must have no reason to suspect itself. What can be
 * accused later stays a suspicion, and what cannot be judged any more is nobody's fault.
 */
export const settle = Effect.fn("Prober.settle")(function* (
  after: Afterwards,
  finished: ReadonlyArray<Finished>
): Effect.fn.Return<Settled> {
  const accused = finished.filter(isAccusation)
  if (accused.length === 0) {
    const goesByIt = finished.some(({ error }) => Option.exists(error, ({ _tag }) => _tag === "Suspected"))
    const finalUpTo = goesByIt ? (yield* finalityFor(after.chain, after.commitments, after.claims.current)).upTo : -1
    return { finished, statement: Option.none(), evaded: false, finalUpTo }
  }
  const changed = yield* changedSlots(after, accused)
  const isLeftOut = accused.some(({ error }) => Option.exists(error, isAbsence))
  const answer = isLeftOut ? Option.some(yield* Effect.either(after.claimNow)) : Option.none()
  const statement = Option.flatMap(answer, Either.getRight)
  const now = slotAt(after.chain, yield* Clock.currentTimeMillis)
  const claims = Option.match(statement, {
    onNone: () => after.claims,
    onSome: (parts) => extendClaims(after.claims, makeClaim({ ...parts, nodeId: after.nodeId }), now)
  })
  const { upTo } = yield* finalityFor(after.chain, after.commitments, claims.current)
  const doubtAt = yield* after.selfDoubt
  const unpublished = yield* after.publication
  const { slotsPerEpoch } = after.chain
  const keptFrom = surelyServedFrom(after.chain, now)

  const look = (entry: Finished, error: ProbeError): ProbeError => {
    const { slot } = entry.block
    const change = changed.get(slot)
    if (change !== undefined) return change === "unknown" ? held(error, "the chain cannot be asked now") : change
    if (slot < keptFrom) return nobodyKeeps(slot)
    if (isAbsence(error)) {
      if (Option.isNone(statement)) return held(error, "the peer does not say now whether it still claims it")
      if (!owes(claims, slot, entry.column)) return retracted
    }
    const about = { slotsPerEpoch, absence: isAbsence(error) }
    if (!isAccountable(claims, slot, entry.column, about)) {
      return isAccountable(after.claims, slot, entry.column, about) ? retracted : atTheEdge(slot)
    }
    if (slot > upTo) return held(error, "it is not final yet, to us and to the peer")
    if (!isEvidence(error) && !after.wasFinal(slot, entry.column)) {
      return held(error, "it was not final yet when that was so before")
    }
    const reserved = isEvidence(error) ? Option.none() : (after.reserve?.(slot, entry.column) ?? Option.none())
    if (Option.isSome(reserved)) return held(error, reserved.value)
    const unheard = isAbsence(error) ? unpublished(entry.block.root, entry.column) : Option.none()
    if (Option.isSome(unheard)) return held(error, unheard.value)
    return Option.match(doubtAt(slot), {
      onNone: () => error,
      onSome: (why) => held(error, `nobody is accused now: ${why}`)
    })
  }
  const settled = finished.map((entry): Finished =>
    isAccusation(entry) ? { ...entry, error: Option.map(entry.error, (error) => look(entry, error)) } : entry
  )
  const isUnsaid = isLeftOut && Option.isNone(statement)
  return { finished: settled, statement, evaded: isUnsaid || settled.some(isRetracted), finalUpTo: upTo }
})

/** Whether the peer stopped to claim what had just been asked for. */
export const isRetracted = ({ error }: Finished): boolean =>
  Option.exists(error, (error) => error._tag === "Unverifiable" && error.reason === "claim_changed")

const isAccusation = ({ error }: Finished): boolean =>
  Option.exists(error, (error) => blameOf[outcomeOf(error)] === "peer")

/** What came fails against the header of its block, which needs no second conversation. */
export const isEvidence = (error: ProbeError): boolean =>
  error._tag === "InvalidColumn" && error.check !== "header" && error.check !== "structure"

/** Errors that depend on what the peer claims, not on what it sent. */
const isAbsence = (error: ProbeError): boolean => error._tag === "MissingColumn" || error._tag === "ColumnsUnavailable"

/** The slots in question of which the chain says something else by now, or nothing. */
const changedSlots = Effect.fnUntraced(function* ({ commitments }: Afterwards, accused: ReadonlyArray<Finished>) {
  const changed = new Map<number, Unverifiable | "unknown">()
  const roots = new Map(accused.map(({ block }) => [block.slot, block.root]))
  yield* Effect.forEach(
    roots,
    ([slot, root]) =>
      Effect.map(Effect.either(commitments.confirm(slot)), (facts) => {
        if (Either.isLeft(facts)) changed.set(slot, "unknown")
        else if (rootOf(facts.right) !== root) {
          changed.set(slot, new Unverifiable({ reason: "reorg", detail: `slot ${slot} has another block by now` }))
        }
      }),
    { concurrency: 4, discard: true }
  )
  return changed
})

/** An accusation that has to wait. */
const held = (error: ProbeError, why: string): ProbeError => {
  const detail = `${describe(error)}; ${why}`
  switch (error._tag) {
    case "InvalidColumn":
      return new Suspected({ suspicion: "invalid", check: error.check, detail })
    case "ColumnsUnavailable":
      return new Suspected({ suspicion: "unavailable", detail })
    case "MalformedResponse":
      return new Suspected({ suspicion: "malformed", detail })
    default:
      return new Suspected({ suspicion: "missing", detail })
  }
}

const retracted = new Unverifiable({ reason: "claim_changed", detail: "the peer no longer claims it" })

/** The edge of the retention may pass a slot between the choice of a job and the end of its probe. */
const nobodyKeeps = (slot: number) =>
  new Unverifiable({ reason: "no_longer_owed", detail: `slot ${slot} is too old by now to be kept` })

export const atTheEdge = (slot: number) =>
  new Unverifiable({
    reason: "claim_edge",
    detail: `slot ${slot} is at the edge of what the peer claims, or it does not say from when on it has columns`
  })

/** The combination as it is recorded. */
export const toOutcome = ({ block, column, error, isBreak }: Finished): Outcome => {
  const where = { slot: block.slot, column }
  const about = { blockRoot: block.root, blobs: block.commitments.length }
  if (Option.isNone(error)) return { ...where, outcome: "success", ...about }
  const { value } = error
  return {
    ...where,
    outcome: outcomeOf(value),
    ...(value._tag === "Suspected" ? { suspicion: value.suspicion } : {}),
    ...(isBreak === true && isBreakOff(value) ? { suspicion: "unanswered" as const } : {}),
    ...checkOf(value),
    reason: describe(value),
    ...about
  }
}

/** What was our own doing is excused by then. */
const isBreakOff = ({ _tag }: ProbeError): boolean => _tag === "ProbeTimeout" || _tag === "PeerDisconnected"

const checkOf = (error: ProbeError): Pick<Outcome, "check"> =>
  (error._tag === "InvalidColumn" || error._tag === "Suspected") && error.check !== undefined
    ? { check: error.check }
    : {}
