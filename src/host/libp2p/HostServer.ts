import { Clock, Duration, Effect, Either, Option, type Scope } from "effect"
import {
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
import { hostOf } from "../../wire/AddressGroup.ts"
import { resultCodes } from "../../wire/Refusal.ts"
import { decodeUint64, encodeMetadata, encodeStatus, encodeUint64, type StatusMessage } from "../../wire/Handshake.ts"
import { defaultServeLimits, serve, type ServeLimits, serveNothing, type ServingNode } from "../../wire/Server.ts"
import { makeStreamShares, type ShareLimits } from "../../wire/StreamShares.ts"
import type { Custodian } from "../OwnCustody.ts"
import { makeAnswerPace } from "./AnswerPace.ts"
import type { CustodySeat } from "./CustodySeat.ts"
import { type OwnMetadata, ownMetadata } from "./OwnMetadata.ts"

/** What peers may ask for and we never have: they get a clean and empty answer. Code 3 would be a reason for a ban. */
const emptyProtocols: ReadonlyArray<string> = [
  "beacon_blocks_by_range/1",
  "beacon_blocks_by_range/2",
  "beacon_blocks_by_root/1",
  "beacon_blocks_by_root/2",
  "blob_sidecars_by_range/1",
  "blob_sidecars_by_root/1",
  "execution_payload_envelopes_by_range/1",
  "execution_payload_envelopes_by_root/1"
].map((method) => `/eth2/beacon_chain/req/${method}/ssz_snappy`)

/** The same of whoever keeps no columns. */
const columnProtocols = [
  [dataColumnSidecarsByRange, (custodian: Custodian) => custodian.byRange],
  [dataColumnSidecarsByRoot, (custodian: Custodian) => custodian.byRoot]
] as const

/** Who hears what peers say. */
export interface Hearing {
  /** Of every Goodbye. */
  readonly goodbye: (peerId: string, code: number) => Effect.Effect<void>
  /** Of every Status. */
  readonly status: (peerId: string) => Effect.Effect<void>
}

/**
 * Answers what a peer must answer to be kept: Status, Ping, MetaData, Goodbye, at once; and everything else cleanly with
 * nothing, at a pace (`AnswerPace`). Where a node keeps columns, those are answered by its custodian. The streams of each kind
 * have bounds of their own, so that one that asks for much is still answered what it must be.
 */
export const serveProtocols = (
  node: ServingNode,
  status: Effect.Effect<StatusMessage>,
  hearing: Hearing,
  metadata: OwnMetadata = ownMetadata,
  custody?: CustodySeat
): Effect.Effect<void, never, Scope.Scope> =>
  Effect.suspend(() => {
    const bounded = (shares: ShareLimits): ServeLimits => ({
      ...defaultServeLimits,
      shared: [makeStreamShares(shares)]
    })
    const greeting = bounded(streamsOfOneKind)
    const courtesy = bounded(streamsOfOneKind)
    const columns = bounded(columnStreams)
    const pace = makeAnswerPace()
    const inTurn = (peerId: string) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => Effect.sleep(Duration.millis(pace.delay(peerId, now))))
    return Effect.all(
      [
        ...[statusV1, statusV2].map((protocol) =>
          serve(
            node,
            protocol,
            (_, peerId, reply) =>
              Effect.zipRight(
                hearing.status(peerId),
                Effect.flatMap(status, (message) => reply.chunk(encodeStatus(protocol, message)))
              ),
            greeting
          )
        ),
        ...[metadataV1, metadataV2, metadataV3].map((protocol: Protocol) =>
          serve(node, protocol, (_, __, reply) => reply.chunk(encodeMetadata(protocol, metadata)), greeting)
        ),
        serve(node, ping, (_, __, reply) => reply.chunk(encodeUint64(metadata.sequenceNumber)), greeting),
        serve(
          node,
          goodbye,
          (ssz, peerId) =>
            Either.match(decodeUint64(ssz), {
              onLeft: () => Effect.void,
              onRight: (code) => hearing.goodbye(peerId, code)
            }),
          greeting
        ),
        ...emptyProtocols.map((id) => serveNothing(node, id, courtesy, inTurn)),
        ...columnProtocols.map(([protocol, answerOf]) =>
          custody === undefined
            ? serveNothing(node, protocol.id, courtesy, inTurn)
            : serve(
                node,
                protocol,
                (ssz, peerId, reply, address) =>
                  Effect.flatMap(
                    custody.custodian,
                    Option.match({
                      // An empty answer would say that there are none.
                      onNone: () => reply.error(resultCodes.serverError, "not ready"),
                      onSome: (custodian) => answerOf(custodian)(ssz, { peerId, host: hostOf(address) }, reply)
                    })
                  ),
                columns
              )
        )
      ],
      { discard: true }
    )
  })

/** Enough for two requests at once with each of the protocols that a client uses at a time. */
const streamsOfOneKind: ShareLimits = { perIdentity: 12, total: 512 }
/** Answers with columns under way, half a megabyte of each at most in memory. */
const columnStreams: ShareLimits = { perIdentity: 8, total: 64 }
