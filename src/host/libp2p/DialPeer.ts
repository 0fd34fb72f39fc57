import type { Connection, Libp2p } from "@libp2p/interface"
import { peerIdFromString } from "@libp2p/peer-id"
import { type Multiaddr, multiaddr } from "@multiformats/multiaddr"
import { Array, Duration, Effect, Either, Metric } from "effect"
import { dialSeconds } from "../../domain/metrics/Metrics.ts"
import type { PeerAddress } from "../../domain/peer/PeerAddress.ts"
import { type DialError, NotDialled } from "../Host.ts"
import { dialFailure, notDialled } from "./DialFailure.ts"
import type { DialOrder } from "./DialOrder.ts"

export interface DialOptions {
  /** For the whole dial, over all addresses of the peer. */
  readonly timeout: Duration.Duration
  /** With so many connections, of both directions, nobody is dialled. */
  readonly maxConnections: number
  readonly order: DialOrder
}

/** Dials a peer, now, at those of its addresses that can be read, one after the other; and measures that. */
export const dialPeer = Effect.fnUntraced(function* (
  node: Pick<Libp2p, "dial" | "getConnections" | "status">,
  address: PeerAddress,
  { maxConnections, order, timeout }: DialOptions
): Effect.fn.Return<Connection, DialError> {
  if (node.getConnections().length >= maxConnections) {
    return yield* new NotDialled({ detail: `the limit of ${maxConnections} connections is reached` })
  }
  const targets = yield* order.sort(yield* readable(address))
  const [took, result] = yield* Effect.tryPromise({
    try: (signal) => node.dial(targets, { signal }),
    catch: (cause) => cause
  }).pipe(Effect.disconnect, Effect.timeout(timeout), Effect.either, Effect.timed)
  const measure = dialSeconds.of({ result: Either.isRight(result) ? "connected" : "failed" })
  yield* Metric.update(measure, Duration.toSeconds(took))
  if (Either.isRight(result)) {
    yield* noteReached(order, targets, result.right)
    return result.right
  }
  // Its dials are aborted then, which looks like a timeout.
  if (node.status !== "started") return yield* new NotDialled({ detail: "the node is not running" })
  const failure = dialFailure(result.left, Duration.toMillis(took))
  if (failure._tag !== "NotDialled") yield* order.note(targets)
  return yield* Effect.fail(failure)
})

/** A peer that came to us meanwhile was reached at none of its addresses. */
const noteReached = (order: DialOrder, targets: ReadonlyArray<Multiaddr>, { direction, remoteAddr }: Connection) =>
  direction === "outbound" ? order.note(targets, remoteAddr) : Effect.void

/** The addresses with the peer's id. */
const readable = ({ multiaddrs, peerId }: PeerAddress): Either.Either<Array.NonEmptyArray<Multiaddr>, NotDialled> =>
  Either.gen(function* () {
    if (multiaddrs.length === 0) return yield* Either.left(new NotDialled({ detail: "no address of it is known" }))
    yield* Either.mapLeft(
      Either.try(() => peerIdFromString(peerId)),
      (cause) => notDialled([cause])
    )
    const [unreadable, targets] = Array.separate(
      multiaddrs.map((text) =>
        Either.try({ try: () => multiaddr(text).encapsulate(`/p2p/${peerId}`), catch: (cause) => cause })
      )
    )
    return Array.isNonEmptyArray(targets) ? targets : yield* Either.left(notDialled(unreadable))
  })
