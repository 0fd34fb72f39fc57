import { Array as Arr, Clock, Duration, Effect, Option, Schedule } from "effect"
import { CommitmentCache } from "../chain/CommitmentCache.ts"
import { slotAt } from "../domain/network/Chain.ts"
import { forkDigestsAround } from "../domain/network/ForkDigest.ts"
import { nodeIdOfPeerId } from "../domain/peer/NodeId.ts"
import { describe } from "../domain/probe/Outcome.ts"
import { Externs } from "../host/Externs.ts"
import { Host } from "../host/Host.ts"
import { Identified } from "../host/Identified.ts"
import { withConnection, withConversation } from "../peers/PeerState.ts"
import { askClaim } from "../probe/AskClaim.ts"
import { conversationOf } from "../probe/Conversation.ts"
import { makeExcuseOverload } from "../probe/ExcuseOverload.ts"
import { Doubts } from "../runtime/Doubts.ts"
import { Locator } from "./target/Locator.ts"
import type { ScanFailure } from "./report/ScanFailure.ts"
import { type Subject, takeStatement } from "./Subject.ts"

/**
 * Finds, dials and greets a target. Gives its node id once it can be asked for columns; else the log says why that
 * cannot be.
 */
export const makeReach = Effect.gen(function* () {
  const { chain, peerRefresh } = yield* Externs
  const host = yield* Host
  const identified = yield* Effect.serviceOption(Identified)
  const commitments = yield* CommitmentCache
  const locator = yield* Locator
  const doubts = yield* Doubts
  const excuseOverload = yield* makeExcuseOverload

  const fail = ({ log }: Subject, failure: ScanFailure) =>
    Effect.sync(() => {
      log.failure = Option.some(failure)
      return Option.none<Uint8Array>()
    })

  const locate = Effect.fnUntraced(function* (subject: Subject) {
    const { log } = subject
    const { multiaddrs } = subject.address
    if (multiaddrs.length > 0 && Option.isSome(log.enr)) return
    const found = yield* locator.find(subject.address.peerId)
    log.enr = Option.orElse(log.enr, () => Arr.findFirst(found, ({ enr }) => enr))
    const placed = found.find(({ multiaddrs }) => multiaddrs.length > 0)
    if (multiaddrs.length > 0 || placed === undefined) return
    subject.address = { ...subject.address, multiaddrs: placed.multiaddrs }
    log.addresses = placed.multiaddrs
    log.addressesFrom = placed.from
  })

  const dial = (subject: Subject) =>
    Effect.suspend(() => excuseOverload(host.connect(subject.address))).pipe(
      Effect.retry({
        schedule: Schedule.intersect(Schedule.spaced("3 seconds"), Schedule.recurs(1)),
        while: ({ _tag }) => _tag === "PeerDisconnected" || _tag === "ProbeTimeout"
      }),
      Effect.timed
    )

  /** A peer that has just started may not have registered its protocols yet. */
  const greet = (subject: Subject) =>
    Effect.suspend(() => excuseOverload(askClaim(peerRefresh, subject.address))).pipe(
      Effect.retry({
        schedule: Schedule.intersect(Schedule.spaced("4 seconds"), Schedule.recurs(3)),
        while: (error) => error._tag === "PeerRefused" && error.reason === "unsupported_protocol"
      })
    )

  const meet = Effect.fnUntraced(function* (subject: Subject) {
    const { journal, log, tell } = subject
    yield* tell({ stage: "dialling", detail: subject.address.multiaddrs[0] ?? "looking for its address" })
    yield* locate(subject)
    if (subject.address.multiaddrs.length === 0) {
      const detail = "neither the beacon node nor a database knows where it is"
      return yield* fail(subject, { _tag: "NotFound", detail })
    }
    const dialled = yield* Effect.either(dial(subject))
    if (dialled._tag === "Left") return yield* fail(subject, { _tag: "NotReached", error: dialled.left })
    const [took, peer] = dialled.right
    yield* journal.enter({ change: (state) => withConnection(state, peer) })
    const protocols = Option.match(identified, {
      onNone: (): ReadonlyArray<string> => [],
      onSome: ({ protocolsOf }) => protocolsOf(peer.peerId)
    })
    log.connection = Option.some({ peer, dialMs: Math.round(Duration.toMillis(took)), protocols })

    yield* tell({
      stage: "greeting",
      detail: Option.getOrElse(peer.agent, () => "a client that does not say its name")
    })
    const greeted = yield* Effect.either(greet(subject))
    if (greeted._tag === "Left") {
      const error = greeted.left
      if (error._tag !== "Unverifiable") {
        const conversation = conversationOf(error)
        yield* journal.enter({
          change: (state) => withConversation(state, conversation, Option.some(describe(error)))
        })
      }
      return yield* fail(subject, { _tag: "NoHandshake", error })
    }
    return yield* take(subject, greeted.right)
  })

  const take = Effect.fnUntraced(function* (
    subject: Subject,
    statement: Effect.Effect.Success<ReturnType<typeof greet>>
  ) {
    const { log } = subject
    const now = yield* Clock.currentTimeMillis
    const forkDigests = forkDigestsAround(chain, Math.max(0, slotAt(chain, now)))
    const finalized = yield* commitments.finalized
    log.statement = Option.some(statement)
    log.ours = {
      forkDigests,
      headSlot: yield* commitments.headSlot,
      finalizedEpoch: Option.getOrNull(Option.map(finalized, ({ epoch }) => epoch))
    }
    const doubt = yield* doubts.forbids
    if (Option.isSome(doubt)) return yield* fail(subject, { _tag: "NoTruth", detail: doubt.value })
    if (!forkDigests.includes(statement.forkDigest)) {
      return yield* fail(subject, { _tag: "OtherNetwork", theirs: statement.forkDigest, ours: forkDigests })
    }
    const nodeId = nodeIdOfPeerId(subject.address.peerId)
    if (nodeId._tag === "Left") return yield* fail(subject, { _tag: "NoNodeId", detail: nodeId.left.message })
    yield* takeStatement(chain, subject, statement, nodeId.right)
    return Option.some(nodeId.right)
  })

  return meet
})
