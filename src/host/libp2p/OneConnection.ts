import type { Connection, Libp2p } from "@libp2p/interface"
import { Array, Duration, Effect, type Fiber, Option, Order, Schedule, type Scope } from "effect"
import { daemon } from "../../runtime/Daemon.ts"

/**
 * Of several open connections to one peer the one that counts; `own` is our peer id. When both sides dialled at once it is
 * the one that the side with the smaller id dialled, so that both come to the same. Of two that one side dialled it is the
 * newer one: whoever dials again has lost the other.
 */
export const connectionThatCounts = (own: string, all: ReadonlyArray<Connection>): Option.Option<Connection> => {
  const ours = all.filter(({ direction, remotePeer }) => (direction === "outbound") === own < remotePeer.toString())
  return Array.match(ours.length === 0 ? all : ours, {
    onEmpty: () => Option.none(),
    onNonEmpty: (some) => Option.some(Array.max(some, byAge))
  })
}

const byAge = Order.mapInput(Order.number, ({ timeline }: Connection) => timeline.open)

/**
 * Closes what is one connection too many to a peer: not at once, as many clients do so too, and not which they would; and
 * none over which somebody is asked something. The peer is connected all the while. `patience`: since the last one came.
 */
export const watchDuplicates = (
  node: Pick<Libp2p, "getConnections" | "peerId">,
  patience: Duration.Duration
): Effect.Effect<Fiber.RuntimeFiber<void>, never, Scope.Scope> =>
  daemon(
    "the watch for a second connection to a peer",
    Effect.sync(() => {
      const now = Date.now()
      const own = node.peerId.toString()
      for (const all of duplicatesOf(node)) {
        if (all.some(({ timeline }) => now - timeline.open < Duration.toMillis(patience))) continue
        const counts = Option.getOrUndefined(connectionThatCounts(own, all))
        for (const one of all) {
          if (one !== counts && !isAsked(one, now)) one.abort(new Error("there is another connection to the peer"))
        }
      }
    }),
    Schedule.spaced("1 second")
  )

/** The open connections to each peer that has more than one. */
const duplicatesOf = (node: Pick<Libp2p, "getConnections">): ReadonlyArray<ReadonlyArray<Connection>> => {
  const byPeer = new Map<string, Array<Connection>>()
  for (const connection of node.getConnections()) {
    if (connection.status !== "open") continue
    const peerId = connection.remotePeer.toString()
    const known = byPeer.get(peerId)
    if (known === undefined) byPeer.set(peerId, [connection])
    else known.push(connection)
  }
  return [...byPeer.values()].filter(({ length }) => length > 1)
}

/** Our own requests have limits; one of the other side's is borne with for a while. */
const isAsked = ({ streams }: Connection, now: number): boolean =>
  streams.some(
    ({ direction, protocol, timeline }) =>
      !isLasting(protocol) && (direction === "outbound" || now - timeline.open < requestMs)
  )

/** Streams that are there for as long as the connection is, and ask for nothing. */
const isLasting = (protocol: string): boolean => protocol.startsWith("/meshsub/")

const requestMs = 60_000
