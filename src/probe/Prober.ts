import { randomUUID } from "node:crypto"
import { Array as Arr, Clock, Context, Effect, Layer, Option } from "effect"
import { CommitmentCache } from "../chain/CommitmentCache.ts"
import type { SlotColumns } from "../domain/column/ColumnResponse.ts"
import { digestTable } from "../domain/network/ForkDigest.ts"
import { type ClaimHistory, isAccountable, owes, usualMargins, withHeadFrom } from "../domain/peer/ClaimHistory.ts"
import type { ClaimParts } from "../domain/peer/ClaimParts.ts"
import type { Finding } from "../domain/peer/Finding.ts"
import type { PeerAddress } from "../domain/peer/PeerAddress.ts"
import { isConfirmedBy, type SuspectedColumn, type SuspectedSlot } from "../domain/peer/Suspicions.ts"
import type { Conversation } from "../domain/peer/Verdict.ts"
import type { Job, Probe, WantedPurpose } from "../domain/probe/Job.ts"
import { type RequestError, Suspected } from "../domain/probe/Outcome.ts"
import type { Slot } from "../domain/Primitives.ts"
import type { Evidence } from "../evidence/Evidence.ts"
import { Externs, ExternsError } from "../host/Externs.ts"
import { Host } from "../host/Host.ts"
import { Verifier } from "../kzg/Verifier.ts"
import { LoopLag } from "../runtime/LoopLag.ts"
import { askWanted, broughtBy, type Brought } from "./AskWanted.ts"
import { answerSizes, replacedIn } from "./AnswerSizes.ts"
import { askClaim } from "./AskClaim.ts"
import { confirm, type Confirmed, type Question } from "./Confirm.ts"
import { type Blocks, type Collected, dueBlocks } from "./Conversation.ts"
import { overloaded } from "./ExcuseOverload.ts"
import { makeHeldSidecars } from "./HeldSidecars.ts"
import { isOffence, makeOffenders } from "./Offenders.ts"
import { makeHoldVerified } from "./HoldVerified.ts"
import { invalidColumnEvidence } from "./InvalidColumnEvidence.ts"
import { ProbeTurn } from "./ProbeTurn.ts"
import type { Received } from "./RequestColumns.ts"
import { sample, type Sampled } from "./Sample.ts"
import { SelfDoubt } from "./SelfDoubt.ts"
import { type Afterwards, atTheEdge, isEvidence, isRetracted, settle, toOutcome } from "./Settle.ts"
import { brokenAgain, followUpOf, isBrokenAgain, isOurs, type Settling, settlingOf } from "./Escapes.ts"
import { type Delivery, type Finished, signatureFindings, verifyDeliveries } from "./VerifyDelivered.ts"

/** Whom to probe, by which claims, for what. */
export interface ProbeRequest {
  readonly address: PeerAddress
  /** 32 bytes. */
  readonly nodeId: Uint8Array
  /** Held before the request: what is owed is judged by these. */
  readonly claims: ClaimHistory
  readonly job: Job
  /** What the job asks again for, inside its slots; nothing for one that samples. */
  readonly confirms: ReadonlyArray<SuspectedSlot>
  /** What someone wants the columns of the job's only slot for: they are asked for by root, also above the claimed head. */
  readonly wanted?: WantedPurpose
  /** As far as they are known. */
  readonly agent: Option.Option<string>
  readonly remoteAddress: Option.Option<string>
  /** Verifies also what comes of columns that it does not owe; nothing of it is ever held against it. */
  readonly beyondClaim?: boolean
  /** Why what is left out, refused or garbled of a combination may not be accused yet; left out, it may. */
  readonly reserve?: Afterwards["reserve"]
}

export interface ProbeResult {
  readonly probe: Probe
  readonly conversation: Conversation
  /**
   * Of a job that confirms: whether the peer escaped one of its questions, what was suspected came to an end, or
   * something of ours stood in the way. Of one that samples: whether it escaped the question by root about what it had
   * just left out, or brought all of it; none where it was not asked, or left it out again.
   */
  readonly settling: Option.Option<Settling>
  /** The last slot that is final to us, and to the peer on the same chain; -1 where nothing went by that. */
  readonly finalUpTo: Slot
  /** For every outcome `invalid`. */
  readonly evidence: ReadonlyArray<Evidence>
  /** What the peer said of itself afterwards, if it was asked. */
  readonly statement: Option.Option<Omit<ClaimParts, "nodeId">>
  /** Why the peer turned us away or did not answer. */
  readonly error: Option.Option<RequestError>
  /** Of columns that someone wants; none for any other probe. */
  readonly brought: Option.Option<Brought>
}

/** Carries out one job and says what every combination of it came to. */
export class Prober extends Context.Tag("dasmon/Prober")<
  Prober,
  {
    /** Fails only when there is no ground truth to ask by, and then the peer was not bothered. */
    readonly probe: (request: ProbeRequest) => Effect.Effect<ProbeResult, ExternsError>
  }
>() {
  static readonly layer = Layer.suspend(() => Layer.effect(Prober, make))
}

const make = Effect.gen(function* () {
  const { chain, peerRefresh } = yield* Externs
  const host = yield* Host
  const commitments = yield* CommitmentCache
  const verifier = yield* Verifier
  const lag = yield* LoopLag
  const selfDoubt = yield* SelfDoubt
  const network = { chain, digests: digestTable(chain) }
  const offenders = makeOffenders()
  const holdVerified = yield* makeHoldVerified

  /** Whether a slot is within the margin of our head, or of the peer's, in which an honest peer may not have it yet. */
  const isYoungAt = (slot: Slot, { current }: ClaimHistory) =>
    Effect.map(commitments.headSlot, (headSlot) => slot > Math.min(headSlot, current.headSlot) - usualMargins.headSlots)

  const probe = Effect.fn("Prober.probe")(function* (asked: ProbeRequest) {
    const { address, confirms, job, nodeId, wanted } = asked
    const { peerId } = address
    const claims = wanted === undefined ? asked.claims : withHeadFrom(asked.claims, job.startSlot)
    const startedAt = yield* Clock.currentTimeMillis
    const facts = yield* commitments.range({ start: job.startSlot, end: job.startSlot + job.count - 1 })
    const blocks = dueBlocks(facts)
    const isSampling = confirms.length === 0
    const range = { start: job.startSlot, end: job.startSlot + job.count - 1 }
    const sizes = answerSizes(chain, range, facts, replacedIn(commitments, range))
    const suspectedSlots = confirms.map(({ slot }) => slot)
    const expected = sizes.bytes(job.columns.length, isSampling ? undefined : suspectedSlots)
    const isYoung = wanted !== undefined && (yield* isYoungAt(job.startSlot, asked.claims))
    const collected = yield* (yield* ProbeTurn).asking(expected, (most) => {
      const line = { host, network, peerId, sizes, held: makeHeldSidecars(expected, most) }
      if (wanted !== undefined) {
        return Effect.map(askWanted(line, blocks, owedOf(blocks, claims, job), isYoung), alone)
      }
      return isSampling
        ? Effect.map(sample(line, job, owedOf(blocks, claims, job), blocks), sampled)
        : Effect.map(confirm(line, questionsOf(confirms, blocks)), confirming)
    })
    const { asked: questions, error, received } = collected
    if (Option.contains(collected.cut, "room") && isNothing(collected)) return yield* noRoom
    const { deliveries, unrelated } = attributed(received, blocks, claims, asked.beyondClaim ?? false)
    const verified = yield* verifyDeliveries(
      chain,
      verifier,
      commitments,
      deliveries,
      offenders.isKnown(peerId, startedAt)
    )
    yield* holdVerified(peerId, verified)
    if (verified.some(isOffence)) offenders.add(peerId, yield* Clock.currentTimeMillis)
    const worstLag = yield* lag.worstSince(startedAt)
    const found = [...verified, ...collected.failed.map((entry) => excuseOverload(entry, worstLag))].map((entry) =>
      heldBack(entry, claims, chain.slotsPerEpoch, confirms)
    )
    yield* selfDoubt.hear(peerId, asked.agent, found)
    const settled = yield* settle(
      {
        chain,
        nodeId,
        claims,
        commitments,
        claimNow: askClaim(peerRefresh, address),
        selfDoubt: selfDoubt.reasonAt,
        publication: Effect.map(selfDoubt.publication, (doubt) => (root, column) => doubt({ peerId, root, column })),
        wasFinal: (slot, column) => suspectedBefore(confirms, slot, column)?.isFinal === true,
        reserve: asked.reserve
      },
      found
    )
    const findings = [
      ...received.flatMap(({ findings }) => findings),
      ...signatureFindings(deliveries),
      ...collected.findings,
      ...unrelated
    ]
    if (settled.finished.some(isRetracted)) {
      findings.push({ kind: "claim_retracted", detail: "the claim moved past what had just been asked for" })
    }
    findings.push(...questions.filter(isBrokenAgain).slice(0, 1).map(brokenAgain))
    const lagAfterwards = yield* lag.worstSince(startedAt)
    const wasOurs = isOurs(error, worstLag)
    const finishedAt = yield* Clock.currentTimeMillis
    const accused = {
      peerId,
      agent: Option.getOrNull(asked.agent),
      address: Option.getOrNull(asked.remoteAddress)
    }
    const first = Arr.head(received)
    const result: ProbeResult = {
      probe: {
        id: randomUUID(),
        purpose: wanted ?? (isSampling ? "sampling" : "confirmation"),
        job,
        startedAt,
        finishedAt,
        timings: {
          open: Option.getOrNull(Option.flatMap(first, ({ openMs }) => openMs)),
          firstByte: Option.getOrNull(Option.flatMap(first, ({ firstByteMs }) => firstByteMs)),
          total: finishedAt - startedAt
        },
        requests: received.length,
        bytes: received.reduce((sum, { bytes }) => sum + bytes, 0),
        outcomes: settled.finished.map(toOutcome).sort((a, b) => a.slot - b.slot || a.column - b.column),
        recovered: 0,
        findings
      },
      // What is our own doing counts for the peer: it may well have answered.
      conversation: wasOurs ? "answered" : collected.conversation,
      finalUpTo: settled.finalUpTo,
      settling: isSampling
        ? Option.flatMap(collected.followUp, (followUp) => followUpOf(followUp, received.at(-1), lagAfterwards))
        : Option.some(settlingOf(questions, settled, lagAfterwards)),
      evidence: invalidColumnEvidence({ chain, peer: accused, judgedAt: finishedAt }, settled.finished),
      statement: settled.statement,
      error: wasOurs ? Option.none() : error,
      brought: wanted === undefined ? Option.none() : Option.some(broughtBy(settled.finished, collected.failed))
    }
    return result
  })

  return Prober.of({ probe })
})

/** A conversation of either kind. */
interface Conversed extends Confirmed {
  readonly followUp: Sampled["followUp"]
}

const alone = (collected: Collected): Conversed => ({ ...collected, asked: [], followUp: Option.none() })
const sampled = (sampled: Sampled): Conversed => ({ ...sampled, asked: [] })
const confirming = (confirmed: Confirmed): Conversed => ({ ...confirmed, followUp: Option.none() })

/** Whether nothing at all was heard. */
const isNothing = ({ failed, received }: Collected): boolean =>
  failed.length === 0 && received.every(({ delivered, error }) => delivered.length === 0 && Option.isNone(error))

const noRoom = new ExternsError({
  operation: "probe",
  reason: "too many slow peers are being asked, and this one was asked for the longest: it is asked again later"
})

/** Nothing is asked about a block that is not its slot's any more: that it was suspected will be forgotten. */
const questionsOf = (confirms: ReadonlyArray<SuspectedSlot>, blocks: Blocks): ReadonlyArray<Question> =>
  confirms.flatMap((suspected) => {
    const block = blocks.get(suspected.slot)
    return block === undefined || block.root !== suspected.blockRoot ? [] : [{ block, suspected }]
  })

/** Of the job, what the peer owes. Columns that it does not owe of a slot may still come, and are not judged. */
const owedOf = (blocks: Blocks, claims: ClaimHistory, job: Job): ReadonlyArray<SlotColumns> =>
  [...blocks.keys()]
    .sort((a, b) => a - b)
    .map((slot) => ({ slot, columns: job.columns.filter((column) => owes(claims, slot, column)) }))
    .filter(({ columns }) => columns.length > 0)

/** What came, with the block that it must be of; a finding if something came that no block has. */
const attributed = (received: ReadonlyArray<Received>, blocks: Blocks, claims: ClaimHistory, beyondClaim: boolean) => {
  const unrelated: Array<Finding> = []
  const deliveries = received.flatMap((received) =>
    received.delivered.flatMap((sidecar): ReadonlyArray<Delivery> => {
      const block = blocks.get(sidecar.slot)
      if (block !== undefined) {
        return beyondClaim || owes(claims, sidecar.slot, sidecar.column) ? [{ block, sidecar, received }] : []
      }
      const detail = `column ${sidecar.column} of slot ${sidecar.slot} came, whose canonical block has no blobs`
      unrelated.push({ kind: "unrequested_sidecar", detail })
      return []
    })
  )
  return { deliveries, unrelated: unrelated.slice(0, 1) }
}

/**
 * Bytes that fail against the header of the canonical block are evidence by themselves. Another header, or a structure
 * that is not a sidecar's, may come of a reorg or a restart: it is asked for again first. What is at the edge of the
 * claim is not held against the peer at all.
 */
const heldBack = (
  entry: Finished,
  claims: ClaimHistory,
  slotsPerEpoch: number,
  confirms: ReadonlyArray<SuspectedSlot>
): Finished => {
  const error = Option.getOrUndefined(entry.error)
  if (error?._tag !== "Suspected" && error?._tag !== "InvalidColumn") return entry
  const absence = error._tag === "Suspected" && error.suspicion !== "invalid"
  if (!isAccountable(claims, entry.block.slot, entry.column, { slotsPerEpoch, absence })) {
    return { ...entry, error: Option.some(atTheEdge(entry.block.slot)) }
  }
  const before = suspectedBefore(confirms, entry.block.slot, entry.column)
  if (error._tag === "Suspected" || isEvidence(error) || isConfirmedBy(before, "invalid")) return entry
  const { check, detail } = error
  return { ...entry, error: Option.some(new Suspected({ suspicion: "invalid", check, detail })) }
}

const suspectedBefore = (
  confirms: ReadonlyArray<SuspectedSlot>,
  slot: Slot,
  column: number
): SuspectedColumn | undefined =>
  confirms.find((suspected) => suspected.slot === slot)?.columns.find((entry) => entry.column === column)

const excuseOverload = (entry: Finished, worstLagMs: number): Finished =>
  isOurs(entry.error, worstLagMs)
    ? {
        ...entry,
        error: Option.some(overloaded(worstLagMs))
      }
    : entry
