import { Duration, Effect, Option, Ref, Schedule, Schema, Stream } from "effect"
import { farOf, scopeOf } from "../../domain/peer/AddressScope.ts"
import { isPeerId } from "../../domain/peer/NodeId.ts"
import { makeBeaconHttp } from "../../host/beacon-api/BeaconHttp.ts"
import { getJson } from "../../host/beacon-api/BeaconJson.ts"
import { ListedPeer, readListedPeer } from "../../host/beacon-api/ListedPeer.ts"
import { makeYielder } from "../../runtime/YieldNow.ts"
import type { NodeFound } from "../Discovery.ts"

export interface BeaconPeersOptions {
  /** Base URL of a beacon node's API. */
  readonly url: string
  /** Between two questions. */
  readonly interval: Duration.Duration
  /** For one question; 10 seconds if left out. */
  readonly timeout?: Duration.Duration
  /** Whether the node is of our network, by all that is known at the moment; if left out it is. */
  readonly isOurs?: Effect.Effect<boolean>
}

/**
 * The peers that a beacon node is connected to (`/eth/v1/node/peers`), again and again. A node that cannot be asked, or
 * that does not say, is told of once, and asked again; one of another network is not asked, whose peers are not ours either.
 */
export const beaconPeers = Effect.fnUntraced(function* (options: BeaconPeersOptions) {
  const { interval, isOurs = Effect.succeed(true), timeout, url } = options
  const http = yield* makeBeaconHttp({ url, timeout: timeout ?? Duration.seconds(10), concurrency: 1 })
  const trouble = yield* Ref.make("")
  const ask = Effect.matchEffect(getJson(http, path, PeersResponse), {
    onSuccess: ({ data }) =>
      Effect.gen(function* () {
        if ((yield* Ref.getAndSet(trouble, "")) !== "") yield* Effect.logInfo("the beacon node says its peers again")
        const nodes: Array<NodeFound> = []
        const yieldIfDue = makeYielder(5)
        for (const entry of data.slice(0, mostPeers)) {
          nodes.push(...Option.toArray(readListed(entry)))
          // Each signature that is checked costs a millisecond.
          yield* yieldIfDue
        }
        return nodes
      }),
    onFailure: ({ message }) =>
      Effect.flatMap(Ref.getAndSet(trouble, message), (before) =>
        Effect.as(
          Effect.unless(
            Effect.logWarning(
              `the beacon node does not say its peers: ${message}; it is asked again every ${Duration.format(interval)}`
            ),
            () => before === message
          ),
          []
        )
      )
  })
  const askOurs = Effect.flatMap(isOurs, (isOurs) => (isOurs ? ask : Effect.succeed<ReadonlyArray<NodeFound>>([])))
  return Stream.flattenIterables(Stream.repeatEffectWithSchedule(askOurs, Schedule.spaced(interval)))
})

const path = "/eth/v1/node/peers?state=connected"
const mostPeers = 4_096

const PeersResponse = Schema.Struct({ data: Schema.Array(Schema.Unknown) })

const PeerOfList = Schema.Struct({
  ...ListedPeer.fields,
  peer_id: Schema.String.pipe(Schema.filter(isPeerId)),
  state: Schema.optional(Schema.NullOr(Schema.String))
})
const decodeListed = Schema.decodeUnknownOption(PeerOfList)

/**
 * A peer of a beacon node's list; none if it is not connected, or has no address that can be dialled. The address from
 * which a peer has come to the node is not one at which it listens. Whom the node sees in the Internet has no address in a
 * private net.
 */
export const readListed = (entry: unknown): Option.Option<NodeFound> =>
  Option.flatMap(decodeListed(entry), ({ peer_id: peerId, state, ...listed }) => {
    if ((state ?? "connected").toLowerCase() !== "connected") return Option.none()
    const { isInbound, record, seen } = readListedPeer(peerId, listed)
    const ofRecord = Option.match(record, { onNone: () => [], onSome: ({ multiaddrs }) => multiaddrs })
    // A stranger of the Internet writes what he likes into his record: we knock at no door of our own house for him.
    const isFar = seen.some((address) => scopeOf(address) === "far")
    const multiaddrs = [...new Set([...(isInbound ? [] : seen), ...(isFar ? farOf(ofRecord) : ofRecord)])]
    if (multiaddrs.length === 0) return Option.none()
    return Option.some({
      address: {
        peerId,
        multiaddrs,
        enrCustodyGroupCount: Option.flatMap(record, ({ custodyGroupCount }) => custodyGroupCount)
      },
      source: "beacon_node",
      ...Option.match(record, { onNone: () => ({}), onSome: ({ enr, seq }) => ({ enr, seq }) })
    })
  })
