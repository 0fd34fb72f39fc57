import { Array as Arr, Clock, Duration, Effect, Option, Schedule } from "effect"
import { CommitmentCache } from "../chain/CommitmentCache.ts"
import { slotAt } from "../domain/network/Chain.ts"
import { forkDigestsAround } from "../domain/network/ForkDigest.ts"
import { nodeIdOfPeerId } from "../domain/peer/NodeId.ts"
import type { PeerAddress } from "../domain/peer/PeerAddress.ts"
import { describe } from "../domain/probe/Outcome.ts"
import { Externs } from "../host/Externs.ts"
import { Host } from "../host/Host.ts"
import { Identified } from "../host/Identified.ts"
import { withConnection, withConversation } from "../peers/PeerState.ts"
import { askClaim } from "../probe/AskClaim.ts"
import { conversationOf } from "../probe/Conversation.ts"
import { makeExcuseOverload } from "../probe/ExcuseOverload.ts"
import { Doubts } from "../runtime/Doubts.ts"
import { type Located, Locator, nobodyKnows } from "./target/Locator.ts"
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

  /** Those who know where the peer is; its record, if none is known yet, is taken from them. */
  const locate = Effect.fnUntraced(function* ({ address, log }: Subject) {
    const found = yield* locator.find(address.peerId)
    log.record = Option.orElse(log.record, () => Arr.findFirst(found, ({ record }) => record))
    return found
  })

  const dial = (address: PeerAddress) =>
    Effect.suspend(() => excuseOverload(host.connect(address))).pipe(
      Effect.retry({
        schedule: Schedule.intersect(Schedule.spaced("3 seconds"), Schedule.recurs(1)),
        while: isUnanswered
      }),
      Effect.timed
    )

  /** Dials it where it was said to be, or where others know it; where an ENR has it no more, elsewhere. */
  const connect = Effect.fnUntraced(function* (subject: Subject) {
    const { address, log } = subject
    const given = address.multiaddrs
    const found = given.length === 0 || Option.isNone(log.record) ? yield* locate(subject) : []
    if (given.length === 0) {
      const places = placesIn(found)
      take(subject, places)
      if (places.multiaddrs.length === 0)
        return yield* Effect.fail<ScanFailure>({ _tag: "NotFound", detail: nobodyKnows })
    }
    const first = yield* Effect.either(dial(subject.address))
    if (first._tag === "Right") return first.right
    const failure: ScanFailure = { _tag: "NotReached", error: first.left }
    if (log.target.kind !== "enr" || given.length === 0 || !isUnanswered(first.left)) return yield* Effect.fail(failure)
    const elsewhere = placesIn(yield* locate(subject), given)
    if (elsewhere.multiaddrs.length === 0) return yield* Effect.fail(failure)
    const second = yield* Effect.either(dial({ ...subject.address, multiaddrs: elsewhere.multiaddrs }))
    if (second._tag === "Left") {
      log.notes.push(
        `it does not answer where the ${elsewhere.from} knows it either (${elsewhere.multiaddrs.join(", ")})`
      )
      return yield* Effect.fail(failure)
    }
    log.notes.push(`it does not answer where its ENR says (${given.join(", ")}): the ENR may be an old one`)
    take(subject, elsewhere)
    return second.right
  })

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
    const dialled = yield* Effect.either(connect(subject))
    if (dialled._tag === "Left") return yield* fail(subject, dialled.left)
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
    return yield* hearOut(subject, greeted.right)
  })

  const hearOut = Effect.fnUntraced(function* (
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

/** Addresses that others know, and who they are, for a person. */
interface Places {
  readonly multiaddrs: ReadonlyArray<string>
  readonly from: string
}

/** All of them in order, but those that are known to lead nowhere. */
const placesIn = (found: ReadonlyArray<Located>, except: ReadonlyArray<string> = []): Places => {
  const multiaddrs: Array<string> = []
  const from: Array<string> = []
  for (const one of found) {
    const more = one.multiaddrs.filter((address) => !except.includes(address) && !multiaddrs.includes(address))
    if (more.length > 0) from.push(one.from)
    multiaddrs.push(...more)
  }
  return { multiaddrs: multiaddrs.slice(0, mostAddresses), from: from.join(" and ") }
}

/** Each is dialled, one after the other. */
const mostAddresses = 8

const take = (subject: Subject, { from, multiaddrs }: Places): void => {
  if (multiaddrs.length === 0) return
  subject.address = { ...subject.address, multiaddrs }
  subject.log.addresses = multiaddrs
  subject.log.addressesFrom = from
}

const isUnanswered = ({ _tag }: { readonly _tag: string }): boolean =>
  _tag === "PeerDisconnected" || _tag === "ProbeTimeout"
