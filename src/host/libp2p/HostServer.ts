import { Effect, Either, type Scope } from "effect"
import {
  beaconBlocksByRange,
  beaconBlocksByRoot,
  dataColumnSidecarsByRange,
  dataColumnSidecarsByRoot,
  goodbye,
  metadataV1,
  metadataV2,
  metadataV3,
  ping,
  type Protocol,
  statusV1,
  statusV2
} from "../../wire/Protocol.ts"
import { custodyRequirement } from "../../domain/network/Chain.ts"
import { decodeUint64, encodeMetadata, encodeStatus, encodeUint64, type StatusMessage } from "../../wire/Handshake.ts"
import { serve, serveNothing, type ServingNode } from "../../wire/Server.ts"

/** Our metadata never change: no subnets, the least custody that clients accept. */
const metadata = { sequenceNumber: 1, custodyGroupCount: custodyRequirement }

/** What peers may ask for and we never have: they get a clean and empty answer. */
const emptyProtocols: ReadonlyArray<string> = [
  ...[beaconBlocksByRange, beaconBlocksByRoot, dataColumnSidecarsByRange, dataColumnSidecarsByRoot].map(({ id }) => id),
  "/eth2/beacon_chain/req/blob_sidecars_by_range/1/ssz_snappy",
  "/eth2/beacon_chain/req/blob_sidecars_by_root/1/ssz_snappy"
]

/**
 * Answers what a peer must answer to be kept: Status, Ping, MetaData, Goodbye; and everything else cleanly with nothing.
 * `onGoodbye` is told of every Goodbye.
 */
export const serveProtocols = (
  node: ServingNode,
  status: Effect.Effect<StatusMessage>,
  onGoodbye: (peerId: string, code: number) => Effect.Effect<void>
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.all(
    [
      ...[statusV1, statusV2].map((protocol) =>
        serve(node, protocol, (_, __, reply) =>
          Effect.flatMap(status, (message) => reply.chunk(encodeStatus(protocol, message)))
        )
      ),
      ...[metadataV1, metadataV2, metadataV3].map((protocol: Protocol) =>
        serve(node, protocol, (_, __, reply) => reply.chunk(encodeMetadata(protocol, metadata)))
      ),
      serve(node, ping, (_, __, reply) => reply.chunk(encodeUint64(metadata.sequenceNumber))),
      serve(node, goodbye, (ssz, peerId) =>
        Either.match(decodeUint64(ssz), { onLeft: () => Effect.void, onRight: (code) => onGoodbye(peerId, code) })
      ),
      ...emptyProtocols.map((id) => serveNothing(node, id))
    ],
    { discard: true }
  )
