import { Duration, Effect, Either, Layer, Option, PubSub, Schedule, Stream } from "effect"
import { toHex } from "../../../src/domain/Bytes.ts"
import { peekSidecar } from "../../../src/domain/column/Sidecar.ts"
import { epochOf } from "../../../src/domain/network/Chain.ts"
import { forkDigestOfSlot } from "../../../src/domain/network/ForkDigest.ts"
import { PeerDisconnected, type RequestError } from "../../../src/domain/probe/Outcome.ts"
import { type ConnectedPeer, type DialError, Host, type HostEvent } from "../../../src/host/Host.ts"
import { type SidecarVerdict, Verifier } from "../../../src/kzg/Verifier.ts"
import type { RequestMessage, ResponseChunk } from "../../../src/wire/Message.ts"
import { dataColumnSidecarsByRange } from "../../../src/wire/Protocol.ts"
import { decodeColumnsByRange, decodeColumnsByRoot } from "../../../src/wire/Requests.ts"
import type { Reply, Said, Sent } from "./Conduct.ts"
import type { SimulatedPeer } from "./Peer.ts"
import type { TrueChain } from "./TrueChain.ts"

/** The network without sockets: simulated peers behind the seams `Host` and `Verifier`. */
export const makeSimulatedHost = Effect.fnUntraced(function* (
  truth: TrueChain,
  peers: ReadonlyMap<string, SimulatedPeer>
) {
  const hub = yield* PubSub.unbounded<HostEvent>()
  const up = new Set<string>()
  const corrupt = new WeakSet<Uint8Array>()
  const digests = new Map<number, string>()

  const lose = (peerId: string, goodbye: Option.Option<number>) =>
    up.delete(peerId) ? PubSub.publish(hub, { _tag: "Disconnected", peerId, goodbye }) : Effect.void

  const peerOf = (peerId: string, stage: PeerDisconnected["stage"]): Effect.Effect<SimulatedPeer, RequestError> =>
    Effect.suspend(() => {
      const peer = peers.get(peerId)
      const away = peer?.isAway(truth.now())
      if (peer === undefined || !up.has(peerId) || away !== undefined) {
        return new PeerDisconnected({ stage, detail: "not connected" })
      }
      return Effect.succeed(peer)
    })

  const digestOf = (slot: number): string => {
    const epoch = epochOf(truth.parameters, slot)
    const known = digests.get(epoch) ?? forkDigestOfSlot(truth.parameters, slot)
    digests.set(epoch, known)
    return known
  }

  /** A Gloas sidecar without cells: 56 bytes, and whether its cells would verify is a mark on them. */
  const chunkOf = ({ block, column, contextOf, isCorrupt, isGarbage, root }: Sent): ResponseChunk => {
    const ssz = new Uint8Array(isGarbage === true ? 20 : 56)
    if (isGarbage !== true) {
      const view = new DataView(ssz.buffer)
      view.setUint32(0, column, true)
      view.setUint32(8, 56, true)
      view.setUint32(12, 56, true)
      view.setUint32(16, block.slot, true)
      ssz.set(root ?? block.rootBytes, 24)
    }
    if (isCorrupt === true) corrupt.add(ssz)
    return { context: digestOf(contextOf ?? block.slot), ssz, wireBytes: ssz.length }
  }

  const request = (peerId: string, message: RequestMessage) =>
    Effect.gen(function* () {
      const peer = yield* peerOf(peerId, "firstChunk")
      const reply = answerOf(peer, message, truth.now())
      yield* Effect.sleep(reply.waitMs)
      const { error, hangsUp } = reply
      const end =
        hangsUp === undefined
          ? Effect.void
          : lose(peerId, hangsUp === "no goodbye" ? Option.none() : Option.some(hangsUp))
      const chunks: Stream.Stream<ResponseChunk, RequestError> = Stream.fromIterable(reply.sent.map(chunkOf))
      return {
        protocol: message.protocols[0]?.protocol.id ?? "",
        chunks:
          error === undefined
            ? chunks
            : Stream.concat(chunks, Stream.fromEffect(Effect.zipRight(end, Effect.fail(error))))
      }
    })

  /** Whoever goes away of itself is missed. */
  const watch = Effect.suspend(() =>
    Effect.forEach(
      [...up],
      (peerId) => (peers.get(peerId)?.isAway(truth.now()) === undefined ? Effect.void : lose(peerId, Option.none())),
      { discard: true }
    )
  )
  yield* Effect.forkScoped(Effect.repeat(watch, Schedule.spaced(Duration.seconds(5))))

  const host = Host.of({
    peerId: "us",
    multiaddrs: [],
    connect: ({ peerId }) =>
      Effect.suspend((): Effect.Effect<ConnectedPeer, DialError> => {
        const peer = peers.get(peerId)
        const away = peer === undefined ? unknownPeer : peer.isAway(truth.now())
        if (away !== undefined) return Effect.fail(away)
        up.add(peerId)
        return Effect.succeed({ peerId, address: "/ip4/192.0.2.1/tcp/9000", agent: Option.fromNullable(peer?.agent) })
      }).pipe(Effect.delay(50)),
    disconnect: (peerId) => Effect.sync(() => void up.delete(peerId)),
    request,
    connected: Effect.sync(() =>
      [...up].map((peerId) => ({ peerId, address: "/ip4/192.0.2.1/tcp/9000", agent: Option.none() }))
    ),
    events: Stream.fromPubSub(hub, { scoped: true })
  })

  const verdictOf = (sidecar: { readonly ssz: Uint8Array; readonly blockRoot: Uint8Array }): SidecarVerdict => {
    const label = Either.getOrThrow(peekSidecar("gloas", sidecar.ssz))
    if (label.blockRoot !== toHex(sidecar.blockRoot)) {
      return { _tag: "Invalid", check: "header", detail: "it is of another block" }
    }
    return corrupt.has(sidecar.ssz)
      ? { _tag: "Invalid", check: "kzg_proof", detail: "a cell does not verify" }
      : { _tag: "Valid" }
  }

  return {
    layer: Layer.mergeAll(
      Layer.succeed(Host, host),
      Layer.succeed(Verifier, Verifier.of({ verify: (sidecars) => Effect.succeed(sidecars.map(verdictOf)) }))
    ),
    /** What a connected peer says of itself. */
    refresh: (peerId: string): Effect.Effect<Said, RequestError> =>
      peerOf(peerId, "handshake").pipe(
        Effect.delay(50),
        Effect.flatMap((peer) => peer.says(truth.now()))
      )
  }
})

const unknownPeer = new PeerDisconnected({ stage: "dial", detail: "no such peer" })

const answerOf = (peer: SimulatedPeer, message: RequestMessage, at: number): Reply => {
  const [version] = message.protocols
  if (version === undefined) throw new Error("a request without a protocol")
  return version.protocol === dataColumnSidecarsByRange
    ? peer.byRange(Either.getOrThrow(decodeColumnsByRange(version.body)), at)
    : peer.byRoot(Either.getOrThrow(decodeColumnsByRoot(version.body)), at)
}
