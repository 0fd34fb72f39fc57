import type { Connection } from "@libp2p/interface"
import { Clock, Duration, Effect, Either, HashMap, Option, Ref, Stream } from "effect"
import { setNewest } from "../../../domain/Bounded.ts"
import { toHex } from "../../../domain/Bytes.ts"
import { custodyRequirement, epochOf, numberOfCustodyGroups, slotAt } from "../../../domain/network/Chain.ts"
import { forkDigestAt } from "../../../domain/network/ForkDigest.ts"
import { PeerRefused } from "../../../domain/probe/Outcome.ts"
import { request, type RequestLimits } from "../../../wire/Client.ts"
import { decodeMetadata, decodeStatus, metadataRequest, pingRequest, statusRequest } from "../../../wire/Handshake.ts"
import type { StatusMessage } from "../../../wire/Handshake.ts"
import type { RequestMessage } from "../../../wire/Message.ts"
import { goodbyeCodes } from "../../../wire/Refusal.ts"
import { checkpointAt, finalized } from "../../chain/ChainState.ts"
import { statusAt } from "../../peer/GreetingServer.ts"
import { ban, noReason, visitedUnlessBanned } from "./Banning.ts"
import { honest } from "../Honest.ts"
import type { Conduct, PeerContext, Profile } from "../Profile.ts"

/**
 * Honest, and throws out whom it cannot use, as Lodestar, Teku, Lighthouse and Grandine do: a Status that is not of Fulu, of
 * another network, of a head in the future, or of a finalized checkpoint that its own chain does not have (the zero root
 * among them, as Grandine has it once it has finalized something itself); metadata of fewer groups than 4 or more than 128;
 * no Ping, Status or MetaData at all. It asks every remote that comes for all three, and again every 20 seconds; five errors
 * instead of an answer are too many. It has room for four, and tells others that there are too many.
 */
export const unwelcoming: Profile = {
  ...honest,
  client: "grandine",
  depart: (conduct, peer) =>
    Effect.gen(function* () {
      const guests = yield* Ref.make(HashMap.empty<string, number>())
      const refused = new Map<string, number>()

      const admit = (peerId: string) =>
        Effect.gen(function* () {
          const now = yield* Clock.currentTimeMillis
          const present = yield* Ref.get(guests)
          const isFull = HashMap.size(present) >= room && !HashMap.has(present, peerId)
          if (isFull) setNewest(refused, peerId, now + refusalMs, maxRefused)
          return !isFull && now >= (refused.get(peerId) ?? 0)
        })
      const change = (peerId: string, by: 1 | -1) =>
        Ref.update(guests, (all) => {
          const connections = Option.getOrElse(HashMap.get(all, peerId), () => 0) + by
          return connections > 0 ? HashMap.set(all, peerId, connections) : HashMap.remove(all, peerId)
        })
      yield* visitedUnlessBanned(peer, goodbyeCodes.fault, (connection) =>
        Effect.gen(function* () {
          const peerId = connection.remotePeer.toString()
          if (!(yield* admit(peerId))) {
            return yield* peer.dismiss(peerId, goodbyeCodes.tooManyPeers, "there is no room")
          }
          yield* Effect.acquireUseRelease(
            change(peerId, 1),
            () => examining(peer, conduct)(connection),
            () => change(peerId, -1)
          )
        })
      )
      return {
        greet: ({ peerId, send, theirs }) =>
          Effect.gen(function* () {
            yield* send
            yield* judge(peer, peerId, yield* statusComplaint(peer, theirs), goodbyeCodes.irrelevantNetwork)
          })
      }
    })
}

/** Looks again and again who a guest is, and bans one that is of no use. */
export const examining =
  (peer: PeerContext, conduct: Conduct) =>
  (connection: Connection): Effect.Effect<never> =>
    Effect.forever(Effect.zipRight(examine(peer, conduct, connection), Effect.sleep(pause)))

const examine = (peer: PeerContext, conduct: Conduct, connection: Connection): Effect.Effect<void> =>
  Effect.gen(function* () {
    const peerId = connection.remotePeer.toString()
    const now = yield* Clock.currentTimeMillis
    const ours = yield* statusAt(peer, conduct, now)
    const status = yield* ask(peer, connection, statusRequest(ours), decodeStatus)
    if (Option.isSome(status)) {
      const { irrelevantNetwork } = goodbyeCodes
      if (!(yield* judge(peer, peerId, networkComplaint(peer, status.value, now), irrelevantNetwork))) return
      if (!(yield* judge(peer, peerId, yield* statusComplaint(peer, status.value), irrelevantNetwork))) return
    }
    yield* ask(peer, connection, pingRequest(1), Either.right)
    const metadata = yield* ask(peer, connection, metadataRequest, decodeMetadata)
    if (Option.isSome(metadata)) {
      const { custodyGroupCount: groups } = metadata.value
      const isOutside = groups === undefined || groups < custodyRequirement || groups > numberOfCustodyGroups
      if (isOutside) return yield* ban(peer, peerId, goodbyeCodes.fault, `custody of ${groups} groups`)
    }
    yield* peer.ledger.count("examined")
  })

/** Gives whether there was nothing to complain of. */
const judge = (peer: PeerContext, peerId: string, complaint: string | undefined, code: number) =>
  complaint === undefined ? Effect.succeed(true) : Effect.as(ban(peer, peerId, code, complaint), false)

/** Remote peers at once. */
const room = 4
const refusalMs = 600_000
const maxRefused = 1000
const pause = "20 seconds"
const tooManyErrors = 5

/** What is wrong with a Status, but for its fork digest. */
const statusComplaint = ({ chain }: PeerContext, status: StatusMessage): Effect.Effect<string | undefined> =>
  Effect.gen(function* () {
    const { parameters } = chain
    const { earliestAvailableSlot, finalizedEpoch, finalizedRoot, headSlot } = status
    const state = yield* chain.state
    const slot = slotAt(parameters, yield* Clock.currentTimeMillis)
    if (earliestAvailableSlot === undefined) return "a Status without an earliest available slot"
    if (headSlot > slot + 1) return `its head is slot ${headSlot}, and the clock shows ${slot}`
    if (finalizedEpoch > epochOf(parameters, slot)) return `it has finalized epoch ${finalizedEpoch}, which is to come`
    const own = finalized(parameters, state).epoch
    if (own === 0 || finalizedEpoch > own) return undefined
    // The chain's own checkpoint of epoch 0 is the zero root, and whoever has the genesis block knows better.
    const { root } = finalizedEpoch === 0 ? state.genesis : checkpointAt(parameters, state, finalizedEpoch)
    return finalizedRoot === root ? undefined : `${finalizedRoot} is not the checkpoint of epoch ${finalizedEpoch}`
  })

const networkComplaint = (
  { chain: { parameters } }: PeerContext,
  { forkDigest }: StatusMessage,
  now: number
): string | undefined => {
  const digests = [now - tolerableMs, now + tolerableMs].map((at) =>
    toHex(forkDigestAt(parameters, epochOf(parameters, slotAt(parameters, at))))
  )
  return digests.includes(forkDigest) ? undefined : `fork digest ${forkDigest}`
}

/** How far clocks may be apart at the edge of an epoch. */
const tolerableMs = 1_000

const answerLimit = Duration.seconds(5)
const limits: RequestLimits = { open: answerLimit, firstByte: answerLimit, chunk: answerLimit, total: answerLimit }

/** The answer, if it is one. Who does not speak the protocol is banned, and who goes on failing too. */
const ask = <A>(
  peer: PeerContext,
  connection: Connection,
  message: RequestMessage,
  decode: (ssz: Uint8Array) => Either.Either<A, unknown>
): Effect.Effect<Option.Option<A>> =>
  Effect.gen(function* () {
    const { chunks } = yield* request(connection, message, limits)
    const first = yield* Stream.runHead(chunks)
    return yield* Effect.flatMap(first, ({ ssz }) => decode(ssz))
  }).pipe(
    Effect.scoped,
    Effect.asSome,
    Effect.catchAll((error) =>
      Effect.gen(function* () {
        // Whose connection is gone has made no error.
        if (connection.status !== "open") return Option.none()
        const peerId = connection.remotePeer.toString()
        const [{ protocol } = { protocol: { id: "" } }] = message.protocols
        if (isUnsupported(error)) yield* ban(peer, peerId, noReason, `does not speak ${protocol.id}`)
        else if ((yield* peer.ledger.strike(peerId, `no answer to ${protocol.id}`)) >= tooManyErrors) {
          yield* ban(peer, peerId, goodbyeCodes.fault, "too many errors")
        }
        return Option.none()
      })
    )
  )

const isUnsupported = (error: unknown): boolean =>
  error instanceof PeerRefused && error.reason === "unsupported_protocol"
