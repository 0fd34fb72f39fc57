import type { Connection } from "@libp2p/interface"
import { Array as Arr, Duration, Effect, Option, RateLimiter, Stream } from "effect"
import { ssz } from "@lodestar/types"
import { epochStart, forkEpoch, numberOfColumns } from "../../../domain/network/Chain.ts"
import type { RequestError } from "../../../domain/probe/Outcome.ts"
import { open, type OpenFailure } from "../../../wire/ByteStream.ts"
import { request, type RequestLimits } from "../../../wire/Client.ts"
import type { RequestMessage } from "../../../wire/Message.ts"
import { maxPayloadSize, type Protocol } from "../../../wire/Protocol.ts"
import { blocksByRange, columnsByRange } from "../../../wire/Requests.ts"
import { goodbyeCodes } from "../../../wire/Refusal.ts"
import { ban, noReason, visitedUnlessBanned } from "./Banning.ts"
import { honest } from "../Honest.ts"
import type { PeerContext, Profile } from "../Profile.ts"

/**
 * Honest, as Lighthouse and Grandine are: opens gossipsub to everybody as soon as it knows who that is, and bans for good
 * whoever does not speak it (Lighthouse 8.0.1 service/mod.rs, "does_not_support_gossipsub": Goodbye 0).
 */
export const gossipBan: Profile = {
  ...honest,
  client: "lighthouse",
  depart: (_, peer) =>
    Effect.as(
      visitedUnlessBanned(peer, noReason, (connection) => gossipWith(peer, connection)),
      {}
    )
}

const meshsub = ["/meshsub/1.2.0", "/meshsub/1.1.0"]

/** Keeps the stream, and reads whatever comes on it. */
export const gossipWith = (peer: PeerContext, connection: Connection): Effect.Effect<void> =>
  Effect.gen(function* () {
    const stream = yield* open((signal) => connection.newStream(meshsub, { signal }), { writeTimeout: "10 seconds" })
    yield* peer.ledger.count(stream.protocol)
    yield* stream.read("1 day").pipe(Effect.repeat({ until: Option.isNone }), Effect.ignore)
  }).pipe(
    Effect.scoped,
    Effect.catchTag("OpenFailure", (failure) =>
      isUnsupported(failure)
        ? ban(peer, connection.remotePeer.toString(), noReason, "does not speak gossipsub")
        : Effect.void
    )
  )

const isUnsupported = ({ cause }: OpenFailure): boolean =>
  cause instanceof Error && cause.name === "UnsupportedProtocolError"

/**
 * Honest, as Lodestar is while it syncs slots from before Fulu: for 40 seconds it asks everybody who comes for blocks,
 * blobs and columns by range, every empty answer again at once and up to 135 times a second, rests for as long, and begins
 * again. It bans who gives it an error, resets, or takes longer than five seconds.
 */
export const asksMuch: Profile = {
  ...honest,
  client: "lodestar",
  depart: (_, peer) =>
    Effect.as(
      visitedUnlessBanned(peer, goodbyeCodes.fault, (connection) => askMuch(peer, connection)),
      {}
    )
}

const syncTime = Duration.seconds(40)
const requestsPerSecond = 135
const answerLimit = Duration.seconds(5)
const limits: RequestLimits = { open: answerLimit, firstByte: answerLimit, chunk: answerLimit, total: answerLimit }

export const askMuch = (peer: PeerContext, connection: Connection): Effect.Effect<void> =>
  Effect.gen(function* () {
    const perSecond = yield* RateLimiter.make({
      limit: requestsPerSecond,
      interval: "1 second",
      algorithm: "fixed-window"
    })
    // One of each kind is under way.
    const asking = Effect.forEach(
      rangesOf(peer),
      ([name, message]) => Effect.forever(perSecond(askOne(peer, connection, name, message))),
      { concurrency: "unbounded", discard: true }
    )
    const round = Effect.zipRight(Effect.timeoutOption(asking, syncTime), Effect.sleep(syncTime))
    yield* Effect.forever(round)
  }).pipe(
    Effect.scoped,
    Effect.catchAll((error: RequestError) =>
      // Whose connection is gone has made no error.
      connection.status === "open"
        ? ban(peer, connection.remotePeer.toString(), goodbyeCodes.fault, describe(error))
        : Effect.void
    )
  )

const askOne = (
  { ledger }: PeerContext,
  connection: Connection,
  name: string,
  message: RequestMessage
): Effect.Effect<void, RequestError> =>
  Effect.gen(function* () {
    yield* ledger.count(`asked for ${name}`)
    const { chunks } = yield* request(connection, message, limits)
    yield* Stream.runDrain(chunks)
    yield* ledger.count(`answered ${name}`)
  }).pipe(Effect.scoped)

/** The slots of a sync before Fulu; columns exist from Fulu on only. */
const rangesOf = ({ chain: { parameters } }: PeerContext): ReadonlyArray<readonly [string, RequestMessage]> => {
  const { slotsPerEpoch } = parameters
  const fulu = epochStart(parameters, forkEpoch(parameters, "fulu"))
  const range = { startSlot: Math.max(0, fulu - slotsPerEpoch), count: slotsPerEpoch }
  return [
    ["blocks", blocksByRange(range)],
    ["blobs", blobsByRange(range)],
    [
      "columns",
      columnsByRange({ startSlot: fulu, count: slotsPerEpoch, columns: Arr.makeBy(numberOfColumns, (c) => c) })
    ]
  ]
}

/** BlobSidecarsByRange v1 (deneb/p2p-interface.md), which nobody but this asks for. */
const blobSidecarsByRange: Protocol = {
  id: "/eth2/beacon_chain/req/blob_sidecars_by_range/1/ssz_snappy",
  request: { min: 16, max: 16 },
  response: { min: 0, max: maxPayloadSize },
  context: true,
  maxChunks: 128 * 9
}

const blobsByRange = (range: { readonly startSlot: number; readonly count: number }): RequestMessage => ({
  protocols: [{ protocol: blobSidecarsByRange, body: ssz.deneb.BlobSidecarsByRangeRequest.serialize(range) }]
})

const describe = (error: RequestError): string =>
  `${error._tag}: ${"detail" in error ? error.detail : `${error.stage} after ${error.afterMs} ms`}`
