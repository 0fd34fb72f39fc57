import type { Connection } from "@libp2p/interface"
import { multiaddr } from "@multiformats/multiaddr"
import { Clock, Effect, Queue, type Scope } from "effect"
import type { DevPeer } from "../../src/devnet/peer/DevPeer.ts"
import { checkpointAt } from "../../src/devnet/chain/ChainState.ts"
import type { Devnet } from "../../src/devnet/Devnet.ts"
import { toHex } from "../../src/domain/Bytes.ts"
import { epochOf, slotAt } from "../../src/domain/network/Chain.ts"
import { forkDigestAt } from "../../src/domain/network/ForkDigest.ts"
import {
  decodeUint64,
  encodeMetadata,
  encodeStatus,
  encodeUint64,
  type StatusMessage
} from "../../src/wire/Handshake.ts"
import { makeNode, type Node } from "../../src/wire/Node.ts"
import { goodbye, metadataV3, ping, type Protocol, statusV1, statusV2 } from "../../src/wire/Protocol.ts"
import { serve } from "../../src/wire/Server.ts"
import { eventually } from "../Eventually.ts"
import { scaled } from "../TimeLimits.ts"

/** Somebody who comes to the peers of a devnet, with an identity of its own: a ban of it concerns no other test. */
export interface Guest {
  readonly node: Node
  readonly peerId: string
  readonly dial: (peer: DevPeer) => Effect.Effect<Connection>
  /** The code of the next Goodbye. */
  readonly goodbye: Effect.Effect<number>
  /** What the peer did to this guest: `ban`, `strike`, `goodbye 3`. */
  readonly suffered: (peer: DevPeer) => Effect.Effect<ReadonlyArray<string>>
  /** Returns when the peer has closed its connections. */
  readonly thrownOut: Effect.Effect<void>
}

export const makeGuest: Effect.Effect<Guest, never, Scope.Scope> = Effect.gen(function* () {
  const node = yield* makeNode({ agent: "guest" })
  // It speaks no gossipsub of its own.
  const { gossip } = node.services
  yield* Effect.promise(() => node.unhandle(gossip.protocols))
  gossip.protocols = []
  const codes = yield* Queue.unbounded<number>()
  yield* serve(node, goodbye, (ssz) => Effect.flatMap(Effect.orDie(decodeUint64(ssz)), (code) => codes.offer(code)))
  const peerId = node.peerId.toString()
  const soon = scaled("30 seconds")
  return {
    node,
    peerId,
    dial: (peer: DevPeer) => Effect.promise(() => node.dial(multiaddr(peer.multiaddr))),
    // In real time, whatever the clock of the test.
    goodbye: codes.take.pipe(Effect.timeout(soon), Effect.orDie, Effect.withClock(Clock.make())),
    suffered: ({ account }: DevPeer) =>
      Effect.map(account, ({ sanctions }) =>
        sanctions
          .filter((sanction) => sanction.peerId === peerId)
          .map(({ code, kind }) => (code === undefined ? kind : `${kind} ${code}`))
      ),
    thrownOut: eventually(() => node.getConnections().length === 0, "40 seconds")
  }
}).pipe(Effect.orDie)

/** What a guest says of itself. */
export interface Manners {
  /** Those that it speaks, of Status, Ping and MetaData. */
  readonly protocols?: ReadonlyArray<Protocol>
  readonly status?: Partial<StatusMessage>
  readonly custodyGroupCount?: number
}

/** A Status with which nothing is wrong, but for what is given. */
export const goodStatus = ({ chain, parameters }: Devnet, other: Partial<StatusMessage> = {}) =>
  Effect.gen(function* () {
    const state = yield* chain.state
    const epoch = epochOf(parameters, slotAt(parameters, yield* Clock.currentTimeMillis))
    const checkpoint = checkpointAt(parameters, state, 1)
    return {
      forkDigest: toHex(forkDigestAt(parameters, epoch)),
      finalizedRoot: checkpoint.root,
      finalizedEpoch: checkpoint.epoch,
      headRoot: state.head.root,
      headSlot: state.head.slot,
      earliestAvailableSlot: state.head.slot,
      ...other
    }
  })

/** Has the guest answer Status, Ping and MetaData. */
export const behave = (
  { node }: Guest,
  devnet: Devnet,
  { custodyGroupCount = 4, protocols = [statusV2, ping, metadataV3], status: other }: Manners = {}
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.forEach(
    protocols,
    (protocol) =>
      serve(node, protocol, (_, __, reply) => {
        if (protocol === ping) return reply.chunk(encodeUint64(1))
        if (protocol === metadataV3)
          return reply.chunk(encodeMetadata(protocol, { sequenceNumber: 1, custodyGroupCount }))
        return Effect.flatMap(goodStatus(devnet, other), (status) =>
          reply.chunk(encodeStatus(protocol === statusV1 ? statusV1 : statusV2, status))
        )
      }),
    { discard: true }
  )
