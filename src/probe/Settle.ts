import { Clock, Effect, Either, Option } from "effect"
import { type ChainParameters, serveRange, slotAt } from "../domain/network/Chain.ts"
import { type ClaimParts, makeClaim } from "../domain/peer/ClaimParts.ts"
import { type ClaimHistory, extendClaims, owes } from "../domain/peer/ClaimHistory.ts"
import type { Outcome } from "../domain/probe/Job.ts"
import { blameOf, describe, outcomeOf, type ProbeError, Unverifiable } from "../domain/probe/Outcome.ts"
import type { CommitmentCache } from "../chain/CommitmentCache.ts"
import type { Finished } from "./VerifyDelivered.ts"

/** What the peer says once it has answered; a claim that moved meanwhile excuses what it no longer covers. */
export interface Afterwards {
  readonly chain: ChainParameters
  readonly nodeId: Uint8Array
  readonly claims: ClaimHistory
  readonly commitments: CommitmentCache["Type"]
  readonly claimNow: Effect.Effect<Omit<ClaimParts, "nodeId">, unknown>
}

/**
 * The last look before anyone is blamed: the chain must still say the same of every slot in question, and a peer that
 * left something out must still claim it, and still have to keep it.
 */
export const settle = Effect.fn("Prober.settle")(function* (after: Afterwards, finished: ReadonlyArray<Finished>) {
  const blamed = finished.filter(({ error }) => Option.exists(error, (error) => blameOf[outcomeOf(error)] === "peer"))
  if (blamed.length === 0) return { finished, statement: Option.none<Omit<ClaimParts, "nodeId">>() }

  const slots = [...new Set(blamed.map(({ block }) => block.slot))]
  const excuses = new Map<number, Unverifiable>()
  yield* Effect.forEach(
    slots,
    (slot) =>
      Effect.gen(function* () {
        const block = blamed.find(({ block }) => block.slot === slot)?.block
        const facts = yield* Effect.either(after.commitments.confirm(slot))
        if (Either.isLeft(facts)) {
          excuses.set(slot, new Unverifiable({ reason: "commitments_unknown", detail: facts.left.message }))
        } else if (facts.right._tag === "Empty" || facts.right.block.root !== block?.root) {
          excuses.set(slot, new Unverifiable({ reason: "reorg", detail: `slot ${slot} has another block by now` }))
        }
      }),
    { concurrency: 4, discard: true }
  )

  const leftOut = blamed.some(({ error }) => Option.exists(error, isLeftOut))
  const statement = leftOut ? Option.some(yield* Effect.either(after.claimNow)) : Option.none()
  const stillOwes = yield* claimCheck(after, statement)
  const now = slotAt(after.chain, yield* Clock.currentTimeMillis)
  const keptFrom = serveRange(after.chain, now + edgeEpochs * after.chain.slotsPerEpoch).start
  return {
    finished: finished.map((entry): Finished => {
      if (!blamed.includes(entry)) return entry
      const excuse = excuses.get(entry.block.slot)
      if (excuse !== undefined) return { ...entry, error: Option.some(excuse) }
      if (!Option.exists(entry.error, isLeftOut)) return entry
      if (entry.block.slot < keptFrom) return { ...entry, error: Option.some(nobodyKeeps(entry.block.slot)) }
      if (stillOwes(entry)) return entry
      const detail = "the peer no longer claims it, or would not say whether it does"
      return { ...entry, error: Option.some(new Unverifiable({ reason: "claim_changed", detail })) }
    }),
    statement: Option.flatMap(statement, Either.getRight)
  }
})

/** A peer's clock may be ahead of ours by so much when it prunes. */
const edgeEpochs = 1

/** The edge of the retention may pass a slot between the choice of a job and the end of its probe. */
const nobodyKeeps = (slot: number) =>
  new Unverifiable({ reason: "no_longer_owed", detail: `slot ${slot} is too old by now to be kept` })

/** The combination as it is recorded. */
export const toOutcome = ({ block, column, error }: Finished): Outcome => ({
  slot: block.slot,
  column,
  outcome: Option.match(error, { onNone: () => "success" as const, onSome: outcomeOf }),
  ...(Option.isSome(error) && error.value._tag === "InvalidColumn" ? { check: error.value.check } : {}),
  ...(Option.isSome(error) ? { reason: describe(error.value) } : {}),
  blockRoot: block.root,
  blobs: block.commitments.length
})

/** Outcomes that depend on what the peer claims, not on what it sent. */
const isLeftOut = (error: ProbeError): boolean => error._tag === "MissingColumn" || error._tag === "ColumnsUnavailable"

const claimCheck = (
  { chain, claims, nodeId }: Afterwards,
  statement: Option.Option<Either.Either<Omit<ClaimParts, "nodeId">, unknown>>
) =>
  Effect.map(Clock.currentTimeMillis, (now) => {
    const parts = Option.flatMap(statement, Either.getRight)
    if (Option.isNone(parts)) return () => false
    const next = extendClaims(claims, makeClaim({ ...parts.value, nodeId }), slotAt(chain, now))
    return ({ block, column }: Finished): boolean => owes(next, block.slot, column)
  })
