import { Clock, Duration, Effect, Either, Metric, Option } from "effect"
import type { Block } from "../domain/network/Block.ts"
import { fromHex } from "../domain/Bytes.ts"
import { blobParametersAt, type ChainParameters, epochOf, slotAt } from "../domain/network/Chain.ts"
import { type ClaimParts, makeClaim } from "../domain/peer/Claim.ts"
import { type ClaimHistory, extendClaims, owes } from "../domain/peer/ClaimHistory.ts"
import type { Outcome } from "../domain/probe/Job.ts"
import { gaugeWhile } from "../domain/metrics/MetricFamily.ts"
import { verifyQueue, verifySeconds } from "../domain/metrics/Metrics.ts"
import { blameOf, describe, InvalidColumn, outcomeOf, type ProbeError, Unverifiable } from "../domain/probe/Outcome.ts"
import type { CommitmentCache } from "../chain/CommitmentCache.ts"
import type { SidecarToVerify, Verifier } from "../kzg/Verifier.ts"
import type { Delivered, Received } from "./RequestColumns.ts"

/** What a combination came to, before the last look at the chain: `none` is success. */
export interface Finished {
  readonly block: Block
  readonly column: number
  readonly error: Option.Option<ProbeError>
  /** What it was judged by, if anything came. */
  readonly delivery?: Delivery
}

/** A delivered sidecar and the canonical block that it must be of. */
export interface Delivery {
  readonly block: Block
  readonly sidecar: Delivered
  readonly received: Received
}

/** Verifies what was delivered, all in one batch. A sidecar of a block that was canonical once is nobody's fault. */
export const verifyDeliveries = Effect.fn("Prober.verify")(function* (
  chain: ChainParameters,
  verifier: Verifier["Type"],
  commitments: CommitmentCache["Type"],
  deliveries: ReadonlyArray<Delivery>
) {
  if (deliveries.length === 0) return []
  const verdicts = yield* verifier
    .verify(
      deliveries.map(({ block, sidecar }): SidecarToVerify => ({
        fork: sidecar.fork,
        ssz: sidecar.ssz,
        blockRoot: fromHex(block.root),
        slot: block.slot,
        commitments: block.commitments,
        maxBlobsPerBlock: blobParametersAt(chain, epochOf(chain, block.slot)).maxBlobsPerBlock
      }))
    )
    .pipe(
      Metric.trackDurationWith(verifySeconds, Duration.toSeconds),
      gaugeWhile(verifyQueue, deliveries.length),
      Effect.either
    )
  return deliveries.map((delivery, index): Finished => {
    const { block, sidecar } = delivery
    const finished = { block, column: sidecar.column, delivery }
    if (Either.isLeft(verdicts)) {
      const detail = verdicts.left.reason
      return { ...finished, error: Option.some(new Unverifiable({ reason: "verifier_failed", detail })) }
    }
    const verdict = verdicts.right[index]
    if (verdict === undefined || verdict._tag === "Valid") return { ...finished, error: Option.none() }
    if (Option.isSome(commitments.orphan(sidecar.blockRoot))) {
      const detail = `the sidecar is of block ${sidecar.blockRoot}, which was canonical until a reorg`
      return { ...finished, error: Option.some(new Unverifiable({ reason: "reorg", detail })) }
    }
    const { check, detail } = verdict
    return {
      ...finished,
      error: Option.some(new InvalidColumn({ slot: block.slot, column: sidecar.column, check, detail }))
    }
  })
})

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
 * left something out must still claim it.
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
  return {
    finished: finished.map((entry): Finished => {
      if (!blamed.includes(entry)) return entry
      const excuse = excuses.get(entry.block.slot)
      if (excuse !== undefined) return { ...entry, error: Option.some(excuse) }
      if (!Option.exists(entry.error, isLeftOut) || stillOwes(entry)) return entry
      const detail = "the peer no longer claims it, or would not say whether it does"
      return { ...entry, error: Option.some(new Unverifiable({ reason: "claim_changed", detail })) }
    }),
    statement: Option.flatMap(statement, Either.getRight)
  }
})

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
