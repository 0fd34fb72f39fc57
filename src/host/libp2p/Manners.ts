import type { Libp2p } from "@libp2p/interface"
import { Duration, Effect, type Fiber, Schedule, type Scope } from "effect"
import { daemon } from "../../runtime/Daemon.ts"
import type { PeerConnections } from "./PeerConnections.ts"

/** What a connection that someone else opened must keep to. */
export interface Manners {
  /** Within so long the peer has identified itself, or sent a Status. */
  readonly silence: Duration.Duration
  /** Streams that the peer has open on it, at most, those included on which no protocol is agreed on. */
  readonly streams: number
  /** So long a second connection to the same peer is borne with, whoever opened it (`OneConnection`). */
  readonly second: Duration.Duration
}

/**
 * Closes connections that others opened and that say nothing, or open streams without end: they take the room of
 * someone else. Those that we dialled are ours to judge.
 */
export const watchManners = (
  node: Pick<Libp2p, "getConnections">,
  connections: Pick<PeerConnections, "isHeard">,
  { silence, streams }: Pick<Manners, "silence" | "streams">
): Effect.Effect<Fiber.RuntimeFiber<void>, never, Scope.Scope> =>
  daemon(
    "the watch over connections that say nothing",
    Effect.sync(() => {
      const longestAgo = Date.now() - Duration.toMillis(silence)
      for (const connection of node.getConnections()) {
        if (connection.direction !== "inbound" || connection.status !== "open") continue
        const isSilent = connection.timeline.open < longestAgo && !connections.isHeard(connection.remotePeer.toString())
        const opened = connection.streams.reduce((sum, { direction }) => sum + (direction === "inbound" ? 1 : 0), 0)
        if (isSilent) connection.abort(new Error("it said nothing"))
        else if (opened > streams) connection.abort(new Error("it has too many streams open"))
      }
    }),
    Schedule.spaced("1 second")
  )
