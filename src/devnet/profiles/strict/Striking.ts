import type { Connection } from "@libp2p/interface"
import { Clock, Effect, Either, Option, type Scope } from "effect"
import { forkEpoch, epochStart, maxRequestDataColumnSidecars, serveRange } from "../../../domain/network/Chain.ts"
import { goodbyeCodes, resultCodes } from "../../../wire/Refusal.ts"
import { decodeStatus, decodeUint64 } from "../../../wire/Handshake.ts"
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
} from "../../../wire/Protocol.ts"
import { decodeColumnsByRange, decodeColumnsByRoot } from "../../../wire/Requests.ts"
import { type LeakyBucket, leakyBucket } from "./LeakyBucket.ts"
import { visitedUnlessBanned } from "./Banning.ts"
import { perGuest } from "./PerGuest.ts"
import { honest } from "../Honest.ts"
import type { Admission, Conduct, PeerContext, Profile, Refusal } from "../Profile.ts"

/**
 * Honest, as Prysm is with `--data-column-batch-limit 64 --data-column-batch-limit-burst-factor 2`: a request beyond its
 * limits, or one that is none, is answered with code 1 and counts as a strike. Whoever has five is banned: Goodbye 251 when
 * it asks again, Goodbye 3 when it comes again (sync/rate_limiter.go, rpc_data_column_sidecars_by_{range,root}.go,
 * p2p/peers/scorers/bad_responses.go). The limits are forgotten when the remote goes, the strikes are not.
 */
export const strikes: Profile = {
  ...honest,
  client: "prysm",
  depart: (conduct, peer) => striking(conduct, peer, { capacity: 128, leakPerSecond: 64 / 30 })
}

/** Conduct that strikes and bans as Prysm does. `columns`: slots and sidecars. `visit` runs for each guest that is not banned. */
export const striking = (
  { respond }: Conduct,
  peer: PeerContext,
  columns: Parameters<typeof leakyBucket>[0],
  visit: (connection: Connection) => Effect.Effect<void> = () => Effect.void
): Effect.Effect<Pick<Conduct, "admit" | "respond" | "undecodable">, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { dismiss, ledger } = peer
    const bucketsOf = yield* perGuest(peer, () => freshBuckets(columns))
    yield* visitedUnlessBanned(peer, goodbyeCodes.fault, visit)

    const strike = (peerId: string, reason: string) =>
      Effect.flatMap(ledger.strike(peerId, reason), (count) =>
        count >= enough ? ledger.ban(peerId, `${count} strikes`) : Effect.void
      )
    return {
      undecodable: (peerId) => strike(peerId, "a request that cannot be decoded"),
      admit: (request) =>
        Effect.gen(function* () {
          const { peerId } = request
          if (yield* ledger.isBanned(peerId)) {
            yield* dismiss(peerId, goodbyeCodes.banned, "is banned")
            return yield* Effect.never
          }
          const refusal = yield* verdictOn(peer, bucketsOf(peerId), request)
          if (refusal === undefined) return Option.none()
          yield* strike(peerId, `${request.protocol.id}: ${refusal.message}`)
          return Option.some(refusal)
        }),
      // Each sidecar of a range is charged as it is written; those by root were charged when they were asked for.
      respond: (response) =>
        respond({
          ...response,
          reply: {
            ...response.reply,
            raw: (bytes) =>
              Effect.zipLeft(
                response.reply.raw(bytes),
                Effect.map(Clock.currentTimeMillis, (now) => {
                  if (response.request.by === "range") bucketsOf(response.request.peerId).columns.charge(1, now)
                })
              )
          }
        })
    }
  })

/** Strikes that are too many. */
const enough = 5

interface PeerBuckets {
  /** Of streams of any protocol. */
  readonly streams: LeakyBucket
  /** Slots and sidecars, asked for by range and by root. */
  readonly columns: LeakyBucket
  /** Of each small protocol. */
  readonly small: ReadonlyMap<string, LeakyBucket>
}

const freshBuckets = (columns: Parameters<typeof leakyBucket>[0]): PeerBuckets => ({
  streams: leakyBucket({ capacity: 20, leakPerSecond: 10 }),
  columns: leakyBucket(columns),
  small: new Map([
    ...[statusV1, statusV2, metadataV1, metadataV2, metadataV3, ping].map(
      ({ id }) => [id, leakyBucket({ capacity: 5, leakPerSecond: 1 })] as const
    ),
    [goodbye.id, leakyBucket({ capacity: 1, leakPerSecond: 1 })]
  ])
})

const rateLimited: Refusal = { code: resultCodes.invalidRequest, message: "rate limited" }

/** What Prysm answers instead, charging what it does not refuse. */
const verdictOn = (
  peer: PeerContext,
  { columns, small, streams }: PeerBuckets,
  { protocol, ssz }: Admission
): Effect.Effect<Refusal | undefined> =>
  Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    const own = small.get(protocol.id)
    if (streams.left(now) < 1 || (own !== undefined && own.left(now) < 1)) return rateLimited
    streams.charge(1, now)
    own?.charge(1, now)
    const cost = yield* costOf(peer, protocol, ssz)
    if (cost === undefined) return { code: resultCodes.invalidRequest, message: "invalid request" }
    if (cost === 0) return undefined
    if (columns.left(now) < Math.max(1, cost)) return rateLimited
    columns.charge(cost, now)
    return undefined
  })

/** What a request is charged with before it is answered; `undefined` for one that is none. */
const costOf = (peer: PeerContext, protocol: Protocol, ssz: Uint8Array): Effect.Effect<number | undefined> =>
  Effect.gen(function* () {
    if (protocol.id === statusV1.id || protocol.id === statusV2.id) return freeIfRight(decodeStatus(ssz))
    if (protocol.id === ping.id || protocol.id === goodbye.id) return freeIfRight(decodeUint64(ssz))
    if (protocol.id === dataColumnSidecarsByRoot.id) {
      const request = Either.getOrUndefined(decodeColumnsByRoot(ssz))
      const total = request?.reduce((sum, { columns }) => sum + columns.length, 0)
      return total === undefined || total > maxRequestDataColumnSidecars ? undefined : total
    }
    if (protocol.id !== dataColumnSidecarsByRange.id) return 0
    const request = Either.getOrUndefined(decodeColumnsByRange(ssz))
    if (request === undefined || request.count === 0) return undefined
    const { parameters } = peer.chain
    const { slot } = yield* peer.chain.state
    const first = Math.max(
      request.startSlot,
      serveRange(parameters, slot).start,
      epochStart(parameters, forkEpoch(parameters, "fulu"))
    )
    return Math.max(0, Math.min(request.startSlot + request.count - 1, slot) - first + 1)
  })

const freeIfRight = (decoded: Either.Either<unknown, unknown>): number | undefined =>
  Either.isRight(decoded) ? 0 : undefined
