import { Clock, Duration, Effect, type Either, Option, Stream } from "effect"
import { MalformedResponse, PeerDisconnected, ProbeTimeout, type RequestError } from "../domain/probe/Outcome.ts"
import type { PeerAddress } from "../domain/peer/PeerAddress.ts"
import { decodeMetadata, decodeStatus, metadataRequest, type StatusMessage, statusRequest } from "../wire/Handshake.ts"
import type { RequestMessage } from "../wire/Message.ts"
import type { WireError } from "../wire/WireError.ts"
import type { BeaconApi } from "./beacon-api/BeaconApi.ts"
import { Externs } from "./Externs.ts"
import type { Host } from "./Host.ts"

/** The externs of a monitor that stands alone: the chain from the Beacon API, claims from the peers themselves. */
export const make = (
  api: BeaconApi["Type"],
  host: Host["Type"],
  status: Effect.Effect<StatusMessage>
): Externs["Type"] =>
  Externs.of({
    chain: api.chain,
    peerRefresh: Effect.fn("Externs.peerRefresh")(function* (peer: PeerAddress) {
      const theirs = yield* askOne(host, peer.peerId, statusRequest(yield* status), decodeStatus)
      const observedAt = yield* Clock.currentTimeMillis
      const metadata = yield* askMetadata(host, peer.peerId)
      return {
        metadataCount: metadata?.custodyGroupCount,
        enrCount: Option.getOrUndefined(peer.enrCustodyGroupCount),
        enrIsCurrent: false,
        earliestAvailableSlot: theirs.earliestAvailableSlot,
        headSlot: theirs.headSlot,
        finalized: { epoch: theirs.finalizedEpoch, root: theirs.finalizedRoot },
        forkDigest: theirs.forkDigest,
        sequenceNumber: metadata?.sequenceNumber,
        observedAt,
        headRoot: theirs.headRoot,
        subnets: metadata?.subnets
      }
    }),
    chainQuery: api.blocks,
    chainHead: api.head,
    chainEvents: api.events
  })

/** For Status, and again for MetaData. */
const stepLimit = Duration.seconds(5)

/** A peer without MetaData is judged by its ENR. */
const askMetadata = (host: Host["Type"], peerId: string) =>
  askOne(host, peerId, metadataRequest, decodeMetadata).pipe(
    Effect.catchIf(
      (error) => error._tag === "PeerRefused" && error.reason === "unsupported_protocol",
      () => Effect.succeed(undefined)
    )
  )

/** The one chunk of an answer; what goes wrong belongs to the handshake. */
export const askOne = <A>(
  host: Host["Type"],
  peerId: string,
  message: RequestMessage,
  decode: (ssz: Uint8Array) => Either.Either<A, WireError>
): Effect.Effect<A, RequestError> =>
  host.request(peerId, message).pipe(
    Effect.flatMap(({ chunks }) => Stream.runHead(chunks)),
    Effect.scoped,
    Effect.flatMap(
      Option.match({
        onNone: () => Effect.fail(endedWithoutAnswer),
        onSome: ({ ssz }): Effect.Effect<A, RequestError> =>
          Effect.mapError(decode(ssz), ({ message }) => new MalformedResponse({ detail: message }))
      })
    ),
    Effect.mapError(inHandshake),
    Effect.timeoutFail({
      duration: stepLimit,
      onTimeout: () => new ProbeTimeout({ stage: "handshake", afterMs: Duration.toMillis(stepLimit) })
    })
  )

const endedWithoutAnswer = new PeerDisconnected({
  stage: "handshake",
  detail: "it ended the stream without an answer"
})

const inHandshake = (error: RequestError): RequestError => {
  switch (error._tag) {
    case "ProbeTimeout":
      return new ProbeTimeout({ stage: "handshake", afterMs: error.afterMs })
    case "PeerDisconnected":
      return new PeerDisconnected({ stage: "handshake", detail: error.detail })
    default:
      return error
  }
}
