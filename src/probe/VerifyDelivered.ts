import { Duration, Effect, Either, Metric, Option } from "effect"
import type { Block } from "../domain/network/Block.ts"
import { equalBytes, sideBySide } from "../domain/Bytes.ts"
import { headerSignature } from "../domain/column/Sidecar.ts"
import type { ChainParameters } from "../domain/network/Chain.ts"
import { gaugeWhile } from "../domain/metrics/MetricFamily.ts"
import { verifyQueue, verifySeconds } from "../domain/metrics/Metrics.ts"
import type { Finding } from "../domain/peer/Finding.ts"
import { InvalidColumn, type ProbeError, Unverifiable } from "../domain/probe/Outcome.ts"
import type { CommitmentCache } from "../chain/CommitmentCache.ts"
import { expectedOf, type Verifier } from "../kzg/Verifier.ts"
import type { Delivered, Received } from "./RequestColumns.ts"

/** What a combination came to, before the last look at the chain: `none` is success. */
export interface Finished {
  readonly block: Block
  readonly column: number
  readonly error: Option.Option<ProbeError>
  /** What it was judged by, if anything came. */
  readonly delivery?: Delivery
  /** Whether the answer broke off just here. */
  readonly isBreak?: boolean
}

/** A delivered sidecar and the canonical block that it must be of. */
export interface Delivery {
  readonly block: Block
  readonly sidecar: Delivered
  readonly received: Received
}

/** Guilty columns of one probe after which the rest of it is not verified. */
const mostGuilty = 3

/**
 * Verifies what was delivered, all in one batch, and that of a known offender after everybody else's. A sidecar of a
 * block that was canonical once is nobody's fault; what was not looked at, since enough was guilty, is untested.
 */
export const verifyDeliveries = Effect.fn("Prober.verify")(function* (
  chain: ChainParameters,
  verifier: Verifier["Type"],
  commitments: CommitmentCache["Type"],
  deliveries: ReadonlyArray<Delivery>,
  isOffender: boolean
) {
  if (deliveries.length === 0) return []
  const blocks = new Map<Block, ReturnType<typeof expectedOf>>()
  const expected = (block: Block) => {
    const known = blocks.get(block) ?? expectedOf(chain, block)
    blocks.set(block, known)
    return known
  }
  const verdicts = yield* verifier
    .verify(
      deliveries.map(({ block, sidecar: { fork, ssz } }) => ({ ...expected(block), fork, ssz })),
      { mostGuilty, isLast: isOffender }
    )
    .pipe(
      Metric.trackDurationWith(verifySeconds, Duration.toSeconds),
      gaugeWhile(verifyQueue, deliveries.length),
      Effect.either
    )
  return deliveries.flatMap((delivery, index): ReadonlyArray<Finished> => {
    const { block, sidecar } = delivery
    const finished = { block, column: sidecar.column, delivery }
    if (Either.isLeft(verdicts)) return [{ ...finished, error: Option.some(unverified(verdicts.left.reason)) }]
    const verdict = verdicts.right[index]
    // Verdicts are told apart by their places alone: with one too few or too many none of them can be trusted.
    if (verdict === undefined || verdicts.right.length !== deliveries.length) {
      const detail = `the verifier gave ${verdicts.right.length} verdicts on ${deliveries.length} sidecars`
      return [{ ...finished, error: Option.some(unverified(detail)) }]
    }
    if (verdict._tag === "Skipped") return []
    if (verdict._tag === "Valid") return [{ ...finished, error: Option.none() }]
    if (Option.isSome(commitments.orphan(sidecar.blockRoot))) {
      const detail = `the sidecar is of block ${sidecar.blockRoot}, which was canonical until a reorg`
      return [{ ...finished, error: Option.some(new Unverifiable({ reason: "reorg", detail })) }]
    }
    const { check, detail } = verdict
    return [
      {
        ...finished,
        error: Option.some(new InvalidColumn({ slot: block.slot, column: sidecar.column, check, detail }))
      }
    ]
  })
})

/**
 * Sidecars with the header of their canonical block, signed otherwise than the block: one finding for all of them. That
 * says nothing of what the peer stores, but no other node takes such a sidecar.
 */
export const signatureFindings = (deliveries: ReadonlyArray<Delivery>): ReadonlyArray<Finding> => {
  const [first, ...more] = deliveries.flatMap((delivery) => Option.toArray(otherSignature(delivery)))
  if (first === undefined) return []
  const { column, slot } = first.delivery.sidecar
  const [own, canonical] = sideBySide(first.own, first.canonical)
  const others = more.length === 0 ? "" : ` (and ${more.length} more)`
  const detail = `the header of column ${column} of slot ${slot} is signed ${own}, its block ${canonical}${others}`
  return [{ kind: "signature_differs", detail }]
}

/**
 * Whether its sidecar may be kept and given to others: it is of the canonical block, verified, and signed as the block is
 * where that is known. The cells of another one prove custody all the same.
 */
export const isPresentable = ({ delivery, error }: Finished): boolean =>
  delivery !== undefined && Option.isNone(error) && Option.isNone(otherSignature(delivery))

/** The signature of a sidecar with its block's header, and the block's, where they are two. */
const otherSignature = (delivery: Delivery) => {
  const { block, sidecar } = delivery
  if (sidecar.blockRoot !== block.root) return Option.none()
  return Option.zipWith(headerSignature(sidecar.fork, sidecar.ssz), block.signature, (own, canonical) => ({
    delivery,
    own,
    canonical
  })).pipe(Option.filter(({ canonical, own }) => !equalBytes(own, canonical)))
}

const unverified = (detail: string) => new Unverifiable({ reason: "verifier_failed", detail })
