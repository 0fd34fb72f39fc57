import { Effect, Option } from "effect"
import { CommitmentCache } from "../chain/CommitmentCache.ts"
import type { SlotColumns } from "../domain/column/ColumnResponse.ts"
import { digestTable } from "../domain/network/ForkDigest.ts"
import type { Claim } from "../domain/peer/Claim.ts"
import { owes, startClaims } from "../domain/peer/ClaimHistory.ts"
import { makeClaim } from "../domain/peer/ClaimParts.ts"
import type { PeerAddress } from "../domain/peer/PeerAddress.ts"
import type { Job } from "../domain/probe/Job.ts"
import { type RequestError, Unverifiable } from "../domain/probe/Outcome.ts"
import { Externs, type ExternsError } from "../host/Externs.ts"
import type { DialError } from "../host/Host.ts"
import type { SecondIdentity } from "../host/SecondHost.ts"
import { Verifier } from "../kzg/Verifier.ts"
import { answerSizes, replacedIn } from "../probe/AnswerSizes.ts"
import { askClaim } from "../probe/AskClaim.ts"
import { Bandwidth } from "../probe/Bandwidth.ts"
import { dueBlocks } from "../probe/Conversation.ts"
import { makeHeldSidecars } from "../probe/HeldSidecars.ts"
import { ProbeTurn } from "../probe/ProbeTurn.ts"
import { ProbeWorkers } from "../probe/ProbeWorkers.ts"
import type { Received } from "../probe/RequestColumns.ts"
import { sample } from "../probe/Sample.ts"
import { isEvidence } from "../probe/Settle.ts"
import { type Delivery, type Finished, verifyDeliveries } from "../probe/VerifyDelivered.ts"
import type { Held } from "./Subject.ts"

/** Whom the second identity asks. */
export interface Asked {
  readonly address: PeerAddress
  /** 32 bytes. */
  readonly nodeId: Uint8Array
  readonly job: Job
}

/** What a peer said, and gave, to the second identity. */
export interface Heard {
  readonly claim: Claim
  /** Of what it claims to the second identity too; nothing of an answer that was cut, refused or not clean. */
  readonly held: ReadonlyArray<Held>
  /** Why not everything was answered. */
  readonly error: Option.Option<RequestError>
  /** Whether we ended it before that. */
  readonly isCut: boolean
  /** Compressed, received. */
  readonly bytes: number
}

/**
 * One visit of the second identity to a peer: dial, handshake, and the question by range and by root, in the order and
 * shape in which a prober samples; what comes is verified like everything else.
 */
export const makeAskSecond = Effect.fnUntraced(function* (second: SecondIdentity) {
  const { chain } = yield* Externs
  const commitments = yield* CommitmentCache
  const verifier = yield* Verifier
  const workers = yield* ProbeWorkers
  const bandwidth = yield* Bandwidth
  const network = { chain, digests: digestTable(chain) }

  return Effect.fn("AskSecond")(function* ({
    address,
    job,
    nodeId
  }: Asked): Effect.fn.Return<Heard, DialError | RequestError | Unverifiable | ExternsError> {
    const facts = yield* commitments.range({ start: job.startSlot, end: job.startSlot + job.count - 1 })
    yield* second.host.connect(address)
    const claim = makeClaim({ ...(yield* askClaim(second.peerRefresh, address)), nodeId })
    const claims = startClaims(claim)
    const blocks = dueBlocks(facts)
    const due = [...blocks.keys()]
      .sort((a, b) => a - b)
      .map((slot): SlotColumns => ({ slot, columns: job.columns.filter((column) => owes(claims, slot, column)) }))
      .filter(({ columns }) => columns.length > 0)
    if (due.length === 0) return { claim, held: [], error: Option.none(), isCut: false, bytes: 0 }
    const range = { start: job.startSlot, end: job.startSlot + job.count - 1 }
    const sizes = answerSizes(chain, range, facts, replacedIn(commitments, range))
    const expected = sizes.bytes(job.columns.length)
    const asking = Effect.flatMap(ProbeTurn, (turn) =>
      turn.asking(expected, (most) => {
        const held = makeHeldSidecars(expected, most)
        return sample({ host: second.host, network, peerId: address.peerId, sizes, held }, job, due, blocks)
      })
    )
    // Dialled and greeted before it takes a worker: who does not answer holds up no probe.
    const sampled = yield* workers.run(
      address.peerId,
      bandwidth.inTurn((turn) =>
        turn.expect(expected).pipe(
          Effect.zipRight(asking),
          Effect.tap(({ received }) => turn.came(bytesOf(received)))
        )
      )
    )
    if (Option.isNone(sampled)) return yield* noBandwidth
    const { cut, error, failed, received } = sampled.value
    const deliveries = received.flatMap((received) =>
      received.delivered.flatMap((sidecar): ReadonlyArray<Delivery> => {
        const block = blocks.get(sidecar.slot)
        return block === undefined ? [] : [{ block, sidecar, received }]
      })
    )
    const verified = yield* verifyDeliveries(chain, verifier, commitments, deliveries, false)
    // Left out where the answers were whole: by range, and by root as well.
    const leftOut = Option.isSome(error) || Option.isSome(cut) ? [] : failed
    return {
      claim,
      held: [...verified, ...leftOut].flatMap(heldOf),
      error,
      isCut: Option.isSome(cut),
      bytes: bytesOf(received)
    }
  })
})

const bytesOf = (received: ReadonlyArray<Received>): number => received.reduce((sum, { bytes }) => sum + bytes, 0)

const noBandwidth = new Unverifiable({ reason: "overload", detail: "all probes are at bandwidth_limit" })

const heldOf = ({ block, column, error }: Finished): ReadonlyArray<Held> => {
  const held = { slot: block.slot, column, blockRoot: block.root }
  if (Option.isNone(error)) return [{ ...held, has: true }]
  const isLack = (error.value._tag === "Suspected" && error.value.suspicion === "missing") || isEvidence(error.value)
  return isLack ? [{ ...held, has: false }] : []
}
