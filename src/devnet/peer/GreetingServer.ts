import { Clock, Effect, Either, HashSet, Ref, type Scope } from "effect"
import { toHex } from "../../domain/Bytes.ts"
import { type ChainParameters, epochOf, slotAt } from "../../domain/network/Chain.ts"
import { forkDigestAt } from "../../domain/network/ForkDigest.ts"
import { goodbyeCodes, resultCodes } from "../../wire/Refusal.ts"
import {
  decodeStatus,
  decodeUint64,
  encodeMetadata,
  encodeStatus,
  encodeUint64,
  type StatusMessage
} from "../../wire/Handshake.ts"
import {
  goodbye,
  metadataV1,
  metadataV2,
  metadataV3,
  ping,
  type Protocol,
  statusV1,
  statusV2
} from "../../wire/Protocol.ts"
import type { ServingNode } from "../../wire/Server.ts"
import { type ChainState, checkpointAt, finalized } from "../chain/ChainState.ts"
import type { Connections } from "./Connections.ts"
import type { Conduct, PeerContext } from "../profiles/Profile.ts"
import { serverOf } from "./ServeAdmitted.ts"

/** The Status that the peer gives at `unixMs`: head and finality as they are, the fork digest of the clock. */
export const statusAt = (peer: PeerContext, conduct: Conduct, unixMs: number): Effect.Effect<StatusMessage> =>
  Effect.gen(function* () {
    const { parameters } = peer.chain
    const state = yield* conduct.view
    const { earliestAvailableSlot } = yield* conduct.claim
    const checkpoint = finalized(parameters, state)
    return conduct.status({
      forkDigest: toHex(forkDigestAt(parameters, epochOf(parameters, slotAt(parameters, unixMs)))),
      finalizedRoot: checkpoint.root,
      finalizedEpoch: checkpoint.epoch,
      headRoot: state.head.root,
      headSlot: state.head.slot,
      earliestAvailableSlot
    })
  })

/** Whether what a stranger calls final is so on the chain that the peer sees; what is above its own finality may be. */
const isFinalHere = (
  parameters: ChainParameters,
  state: ChainState,
  { finalizedEpoch: epoch, finalizedRoot: root }: StatusMessage
): boolean => epoch > finalized(parameters, state).epoch || checkpointAt(parameters, state, epoch).root === root

/**
 * Serves Status, MetaData, Ping and Goodbye in all their versions. Whoever comes from another network, calls final what
 * is not on the chain, or does not send a Status within ten seconds, is sent away.
 */
export const serveGreetings = (
  node: ServingNode,
  connections: Connections,
  peer: PeerContext,
  conduct: Conduct
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.gen(function* () {
    const greeted = yield* Ref.make(HashSet.empty<string>())
    const visits = new Map<string, number>()
    const serve = serverOf(node, conduct)

    const status = (protocol: Protocol) =>
      serve(protocol, (ssz, peerId, reply) =>
        Effect.gen(function* () {
          const theirs = decodeStatus(ssz)
          if (Either.isLeft(theirs)) return yield* reply.error(resultCodes.invalidRequest, theirs.left.message)
          const now = yield* Clock.currentTimeMillis
          const ours = yield* statusAt(peer, conduct, now)
          yield* Ref.update(greeted, HashSet.add(peerId))
          yield* conduct.greet({
            peerId,
            theirs: theirs.right,
            reply,
            send: reply.chunk(encodeStatus(protocol, ours))
          })
          const before = yield* statusAt(peer, conduct, now - clockDisparity)
          const { forkDigest } = theirs.right
          const isOfOurFork = forkDigest === ours.forkDigest || forkDigest === before.forkDigest
          if (!isOfOurFork) {
            yield* connections.dismiss(peerId, goodbyeCodes.irrelevantNetwork, "another fork digest")
          } else if (!isFinalHere(peer.chain.parameters, yield* conduct.view, theirs.right)) {
            yield* connections.dismiss(
              peerId,
              goodbyeCodes.irrelevantNetwork,
              "what it calls final is not on this chain"
            )
          }
        })
      )

    const metadata = (protocol: Protocol) =>
      serve(protocol, (_ssz, _peerId, reply) =>
        Effect.flatMap(conduct.claim, (claim) => reply.chunk(encodeMetadata(protocol, claim)))
      )

    yield* status(statusV1)
    yield* status(statusV2)
    yield* metadata(metadataV1)
    yield* metadata(metadataV2)
    yield* metadata(metadataV3)
    yield* serve(ping, (_ssz, _peerId, reply) =>
      Effect.flatMap(conduct.claim, ({ sequenceNumber }) => reply.chunk(encodeUint64(sequenceNumber)))
    )
    yield* serve(goodbye, (ssz, peerId) => {
      const code = Either.getOrElse(decodeUint64(ssz), () => "of another form")
      return Effect.zipRight(peer.ledger.count(`heard goodbye ${code}`), connections.hangUp(peerId))
    })

    yield* connections.watch((peerId) =>
      Effect.gen(function* () {
        // Who left and came back just now has its ten seconds from now on.
        const visit = (visits.get(peerId) ?? 0) + 1
        visits.set(peerId, visit)
        yield* Ref.update(greeted, HashSet.remove(peerId))
        yield* Effect.sleep(statusTimeout)
        if (visits.get(peerId) !== visit) return
        const isGreeted = HashSet.has(yield* Ref.get(greeted), peerId)
        if (!isGreeted && (yield* connections.isConnected(peerId))) {
          yield* connections.dismiss(peerId, goodbyeCodes.fault, "no Status in ten seconds")
        }
      })
    )
  })

const statusTimeout = "10 seconds"
/** MAXIMUM_GOSSIP_CLOCK_DISPARITY, milliseconds: whoever is that late at the edge of an epoch is still one of us. */
const clockDisparity = 500
