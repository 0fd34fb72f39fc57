import { Clock, Duration, Effect, Either, Metric, Option } from "effect"
import type { AcceptedColumn } from "../arrival/ColumnArrivals.ts"
import { isPoint } from "../bls/Bls.ts"
import { CommitmentCache } from "../chain/CommitmentCache.ts"
import { dropOldest, setNewest } from "../domain/Bounded.ts"
import { equalBytes, fromHex } from "../domain/Bytes.ts"
import { commitmentsOf, inclusionProofHolds } from "../domain/column/SidecarCheck.ts"
import type { FuluView } from "../domain/column/SidecarView.ts"
import { type GossipRule, openRules, ownRules, type Ruling, ruling, verdictOf } from "../domain/gossip/GossipRule.ts"
import { gossipLate, gossipMessages, gossipRulings, gossipSeconds } from "../domain/metrics/Metrics.ts"
import { blobParametersAt, epochOf } from "../domain/network/Chain.ts"
import type { ColumnTopic } from "../domain/network/ColumnTopic.ts"
import { digestTable } from "../domain/network/ForkDigest.ts"
import { Externs } from "../host/Externs.ts"
import type { GossipMessage, GossipVerdict } from "../host/Gossip.ts"
import { expectedOf, type SidecarToVerify, type SidecarVerdict, Verifier } from "../kzg/Verifier.ts"
import { type Examined, examineColumn } from "./ExamineColumn.ts"
import { acceptedOf } from "./AcceptedOf.ts"
import type { Asker } from "./Asker.ts"
import type { JudgeHeader, Sender, SignedHeader } from "./JudgeHeader.ts"
import { makeStanding } from "./Standing.ts"
import { makeWaiting } from "./Waiting.ts"

/** Who is told of what was decided; each must be quick. */
export interface Listeners {
  /** A message turned out to be of this column, whatever becomes of it. */
  readonly examined: (id: string, column: Examined) => void
  readonly accepted: (column: AcceptedColumn, ssz: Uint8Array) => Effect.Effect<void>
  /** It came, and for our own trouble nobody can say whether it is right. */
  readonly unjudged: (column: Examined) => Effect.Effect<void>
  readonly rejected: (fault: RejectedColumn) => Effect.Effect<void>
}

/** A message that breaks a rule, whoever looks at it. */
export interface RejectedColumn {
  readonly ruling: Ruling
  readonly topic: ColumnTopic
  readonly message: GossipMessage
  /** Unix milliseconds. */
  readonly at: number
}

/**
 * Judges column sidecars by all rules of their topic (fulu/p2p-interface.md, gloas/p2p-interface.md): what needs no chain
 * first, then header and parent, once a block, then inclusion proof and cells. What cannot be checked, or not in time, is
 * ignored; nothing is accepted that was not fully verified.
 */
export const makeJudgeColumn = Effect.fnUntraced(function* (headers: JudgeHeader, listeners: Listeners) {
  const { chain } = yield* Externs
  const commitments = yield* CommitmentCache
  const verifier = yield* Verifier
  const digests = digestTable(chain)
  const waiting = makeWaiting()
  const standing = makeStanding()
  /** The columns that were accepted. */
  const seen = new Set<string>()
  /** What sidecars of a Fulu block are held against, once one of them has proven its commitments. */
  const frames = new Map<string, Frame>()
  /** What peers have sent that was wrong, since when. */
  const offences = new Map<string, { readonly count: number; readonly at: number }>()

  const verified = (
    sidecar: SidecarToVerify,
    onValid: Ruling,
    invalid: (check: InvalidVerdict) => Ruling,
    failed = (reason: string): Ruling => ruling("kzg_unchecked", reason)
  ) =>
    verifier
      // Anyone can send what has to be verified: probes come first.
      .verify([sidecar], { inBackground: true })
      .pipe(
        Effect.map(([verdict]) => {
          if (verdict?._tag === "Valid") return onValid
          if (verdict?._tag === "Invalid") return invalid(verdict)
          return ruling("kzg_unchecked", "its turn to be verified did not come in time")
        }),
        Effect.catchAll(({ reason }) => Effect.sync(() => failed(reason)))
      )

  /** What the sidecar is held against, if its inclusion proof holds. */
  const frameOf = (view: FuluView, { blockRoot, slot }: SignedHeader): Frame | undefined => {
    const known = frames.get(blockRoot)
    if (known !== undefined) return isFramed(view, known.view) ? known : undefined
    if (!inclusionProofHolds(view)) return undefined
    const expected = {
      blockRoot: fromHex(blockRoot),
      slot,
      // Copies: views would keep the sidecar alive.
      commitments: commitmentsOf(view).map((commitment) => commitment.slice()),
      maxBlobsPerBlock: blobParametersAt(chain, epochOf(chain, slot)).maxBlobsPerBlock
    }
    const own = { ...view, commitments: view.commitments.slice(), inclusionProof: view.inclusionProof.slice() }
    const frame: Frame = { view: { ...own, cells: nothing, proofs: nothing }, expected, arePoints: undefined }
    setNewest(frames, blockRoot, frame, mostFrames)
    return frame
  }

  /** What cannot be verified is not the verifier's fault where the proposer has signed what are no commitments. */
  const failedOn =
    (frame: Frame) =>
    (reason: string): Ruling => {
      frame.arePoints ??= frame.expected.commitments.every(isPoint)
      return frame.arePoints ? ruling("kzg_unchecked", reason) : noPoints
    }

  const judgeFulu = Effect.fnUntraced(function* (view: FuluView, header: SignedHeader, ssz: Uint8Array, asker: Asker) {
    const ofHeader = yield* headers.judge(header, asker)
    if (ofHeader.rule !== "accepted" && ofHeader.rule !== "proposer_unchecked") return ofHeader
    const frame = frameOf(view, header)
    if (frame === undefined) {
      return ruling("inclusion_proof", "its commitments are not those of the block of its header")
    }
    if (frame.arePoints === false) return noPoints
    return yield* verified(
      { ...frame.expected, fork: "fulu", ssz },
      ofHeader,
      ({ check, detail }) => ruling(check === "kzg_proof" ? "kzg_proof" : "inclusion_proof", detail),
      failedOn(frame)
    )
  })

  const judgeGloas = Effect.fnUntraced(function* ({ blockRoot, slot }: Examined, ssz: Uint8Array, asker: Asker) {
    const block = yield* headers.awaitBlock({ slot, blockRoot })
    if (Option.isNone(block)) {
      const actual = Option.getOrUndefined(yield* headers.slotOf(blockRoot, asker))
      return actual === undefined || actual === slot
        ? ruling("block_unknown", `the beacon node does not have block ${blockRoot} on its chain`)
        : ruling("block_slot", `it is of slot ${slot}, and its block ${blockRoot} of slot ${actual}`)
    }
    return yield* verified(
      { ...expectedOf(chain, block.value), fork: "gloas", ssz },
      ruling("accepted", ""),
      ({ check, detail }) =>
        ruling(check === "kzg_proof" ? "kzg_proof" : "structure", detail, { commitments: block.value.commitments })
    )
  })

  const accept = (examined: Examined, topic: ColumnTopic, message: GossipMessage, at: number) => {
    const { name } = examined
    // Another one of the same column may have been verified meanwhile.
    if (seen.has(name)) return Effect.succeed(ruling("duplicate", ""))
    seen.add(name)
    dropOldest(seen, mostSeen)
    return Effect.as(listeners.accepted(acceptedOf(examined, topic, message, at), message.data), ruling("accepted", ""))
  }

  const judge = Effect.fnUntraced(function* (topic: ColumnTopic, message: GossipMessage, at: number) {
    const finalizedEpoch = Option.match(yield* commitments.finalized, { onNone: () => 0, onSome: ({ epoch }) => epoch })
    const moment = { chain, digests, now: at, finalizedEpoch, isSeen: (name: string) => seen.has(name) }
    const result = examineColumn(moment, topic, message.data)
    if (result._tag === "Left") return result.left
    const examined = result.right
    if (examined.earlyMs > mostEarlyMs) {
      return ruling("future_slot", `slot ${examined.slot} comes in ${examined.earlyMs} ms, clocks being apart included`)
    }
    listeners.examined(message.id, examined)
    const decided = yield* Effect.onInterrupt(judgeExamined(examined, message), () => listeners.unjudged(examined))
    if (vainRules.has(decided.rule)) standing.inVain(message.from)
    if (ownRules.has(decided.rule)) yield* listeners.unjudged(examined)
    return decided.rule === "accepted" ? yield* accept(examined, topic, message, at) : decided
  })

  const judgeExamined = Effect.fnUntraced(function* (examined: Examined, message: GossipMessage) {
    const { blockRoot, earlyMs, header, view } = examined
    const sender: Sender = { _tag: "Peer", peer: message.from, isProven: standing.isProven(message.from) }
    const proof = Option.isNone(header)
      ? Either.right(sender)
      : yield* Effect.either(headers.askerOf(header.value, sender))
    if (Either.isLeft(proof)) return proof.left
    const asker = proof.right
    const release = waiting.take(message.from, blockRoot, asker)
    if (release === undefined) return ruling("crowded", "too much waits of this peer, or of all")
    const decide =
      view._tag === "Fulu" && Option.isSome(header)
        ? judgeFulu(view, header.value, message.data, asker)
        : judgeGloas(examined, message.data, asker)
    return yield* Effect.sleep(Duration.millis(Math.max(0, earlyMs))).pipe(
      Effect.zipRight(decide),
      Effect.ensuring(Effect.sync(release))
    )
  })

  const count = (rule: GossipRule) =>
    Effect.zipRight(
      Metric.increment(gossipMessages.of({ verdict: verdictOf({ rule }) })),
      Metric.increment(gossipRulings.of({ rule }))
    )

  return (topic: ColumnTopic, message: GossipMessage): Effect.Effect<GossipVerdict> =>
    Effect.gen(function* () {
      const at = yield* Clock.currentTimeMillis
      const before = offences.get(message.from)
      const isFresh = before !== undefined && at - before.at < offenceMs
      const decided =
        isFresh && before.count >= mostOffences
          ? ruling("offender", "its sender has sent what was wrong before")
          : yield* judge(topic, message, at)
      const verdict = verdictOf(decided)
      if (verdict === "reject") {
        const last = offences.get(message.from)
        const count = last !== undefined && at - last.at < offenceMs ? last.count : 0
        setNewest(offences, message.from, { count: count + 1, at }, mostOffenders)
        yield* listeners.rejected({ ruling: decided, topic, message, at })
      }
      if (verdict === "accept") standing.accepted(message.from)
      const tookMs = (yield* Clock.currentTimeMillis) - at
      if (verdict === "accept" && tookMs > windowMs) yield* Metric.increment(gossipLate)
      yield* Metric.update(gossipSeconds, tookMs / 1000)
      yield* count(decided.rule)
      return openRules.has(decided.rule) ? ("unjudged" as const) : verdict
    }).pipe(Effect.onInterrupt(() => count("undecided")))
})

/** What proves the commitments of a Fulu block, and what its sidecars are held against. */
interface Frame {
  readonly view: FuluView
  readonly expected: Omit<SidecarToVerify, "fork" | "ssz">
  /** Whether its commitments are points on the curve; looked at once they could not be used. */
  arePoints: boolean | undefined
}

/** What strangers can make up, and have us wait for. */
const vainRules: ReadonlySet<GossipRule> = new Set(["parent_unknown", "block_unknown", "ancestry_unchecked"])

const noPoints = ruling("kzg_proof", "its commitments are no points on the curve")

type InvalidVerdict = SidecarVerdict & { readonly _tag: "Invalid" }

const isFramed = (a: FuluView, b: FuluView): boolean =>
  equalBytes(a.commitments, b.commitments) && equalBytes(a.inclusionProof, b.inclusionProof)

const nothing = new Uint8Array(0)
/** A column that is earlier than clocks are apart waits, if it is not by much. */
const mostEarlyMs = 2_000
/** Who has sent so many wrong sidecars within the time is not listened to. */
const mostOffences = 3
const offenceMs = 3_600_000
const mostOffenders = 4096
/** Columns of 64 slots, and as many again. */
const mostSeen = 16_384
const mostFrames = 256
/** For so long others offer a message of theirs: mcache_len heartbeats. Forwarded later it helps nobody. */
const windowMs = 4_200
