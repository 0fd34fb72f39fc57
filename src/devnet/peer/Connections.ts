import type { Connection, IdentifyResult } from "@libp2p/interface"
import { Deferred, Duration, Effect, FiberSet, type Scope, Stream } from "effect"
import { request, type RequestLimits } from "../../wire/Client.ts"
import { goodbyeRequest } from "../../wire/Handshake.ts"
import type { Node } from "../../wire/Node.ts"
import type { Ledger } from "./Ledger.ts"

/** What a peer of the devnet does with its connections. Everything is bounded in time. */
export interface Connections {
  /** Sees to it that the remote peer gets a Goodbye with `code` and loses its connections. Returns at once. */
  readonly dismiss: (peerId: string, code: number, reason?: string) => Effect.Effect<void>
  /** Sees to it that the remote peer loses its connections. Returns at once. */
  readonly hangUp: (peerId: string) => Effect.Effect<void>
  /** Sends Goodbye with `code` to everybody, and closes all. */
  readonly dismissAll: (code: number) => Effect.Effect<void>
  /** Closes every connection without a word. */
  readonly dropAll: Effect.Effect<void>
  /** Returns once a remote peer has connected, now or before. */
  readonly met: Effect.Effect<void>
  /** Whether there is a connection to the remote peer. */
  readonly isConnected: (peerId: string) => Effect.Effect<boolean>
  /** Runs `onOpen` when a remote peer connects that was not connected, until the scope closes. */
  readonly watch: (onOpen: (peerId: string) => Effect.Effect<void>) => Effect.Effect<void, never, Scope.Scope>
  /**
   * Runs `visit` for each connection whose remote has said who it is, until that closes or the scope does.
   */
  readonly visited: (visit: (connection: Connection) => Effect.Effect<void>) => Effect.Effect<void, never, Scope.Scope>
}

/** Every Goodbye is put down in the ledger. */
export const makeConnections = (node: Node, ledger: Ledger): Effect.Effect<Connections, never, Scope.Scope> =>
  Effect.gen(function* () {
    // Who hangs up while it serves a request loses its stream, and would be interrupted: the work is done aside.
    const aside = yield* FiberSet.make()
    const met = yield* Deferred.make<void>()
    const meet = () => Deferred.unsafeDone(met, Effect.void)
    yield* Effect.acquireRelease(
      Effect.sync(() => node.addEventListener("connection:open", meet, { once: true })),
      () => Effect.sync(() => node.removeEventListener("connection:open", meet))
    )
    const all = Effect.sync(() => node.getConnections())
    const to = (peerId: string) =>
      Effect.map(all, (connections) => connections.filter(({ remotePeer }) => remotePeer.toString() === peerId))
    const part =
      (code: number, reason = "") =>
      (connection: Connection) =>
        ledger
          .goodbye(connection.remotePeer.toString(), code, reason)
          .pipe(Effect.zipRight(sayGoodbye(connection, code)), Effect.zipRight(close(connection)))
    const closeTo = (peerId: string, how: (connection: Connection) => Effect.Effect<void>) =>
      FiberSet.run(aside, Effect.flatMap(to(peerId), Effect.forEach(how, parallel)))
    return {
      dismiss: (peerId, code, reason) => closeTo(peerId, part(code, reason)),
      hangUp: (peerId) => closeTo(peerId, close),
      dismissAll: (code) => Effect.flatMap(all, Effect.forEach(part(code), parallel)),
      dropAll: Effect.flatMap(all, Effect.forEach(close, parallel)),
      met: Deferred.await(met),
      isConnected: (peerId) => Effect.map(to(peerId), (connections) => connections.length > 0),
      watch: (onOpen) =>
        Effect.gen(function* () {
          const run = yield* FiberSet.makeRuntime<never>()
          const listener = (event: CustomEvent<Connection>): void => {
            const { direction, remotePeer } = event.detail
            const isFirst = node.getConnections(remotePeer).length <= 1
            if (direction === "inbound" && isFirst) run(onOpen(remotePeer.toString()))
          }
          yield* Effect.acquireRelease(
            Effect.sync(() => node.addEventListener("connection:open", listener)),
            () => Effect.sync(() => node.removeEventListener("connection:open", listener))
          )
        }),
      visited: (visit) =>
        Effect.gen(function* () {
          const run = yield* FiberSet.makeRuntime<never>()
          // A remote may say again who it is.
          const known = new WeakSet<Connection>()
          const listener = ({ detail: { connection } }: CustomEvent<IdentifyResult>): void => {
            if (known.has(connection)) return
            known.add(connection)
            run(Effect.raceFirst(visit(connection), closed(connection)))
          }
          yield* Effect.acquireRelease(
            Effect.sync(() => node.addEventListener("peer:identify", listener)),
            () => Effect.sync(() => node.removeEventListener("peer:identify", listener))
          )
        })
    }
  })

/** Returns when the connection is closed. */
const closed = (connection: Connection): Effect.Effect<void> =>
  Effect.async<void>((resume) => {
    const onClose = (): void => resume(Effect.void)
    if (connection.status === "closed") return onClose()
    connection.addEventListener("close", onClose, { once: true })
    return Effect.sync(() => connection.removeEventListener("close", onClose))
  })

const parallel = { concurrency: "unbounded", discard: true } as const
/** On loopback it takes a few milliseconds. */
const goodbyeTimeout = Duration.millis(500)
const goodbyeLimits: RequestLimits = {
  open: goodbyeTimeout,
  firstByte: goodbyeTimeout,
  chunk: goodbyeTimeout,
  total: goodbyeTimeout
}

/** What the remote responds to a Goodbye, if anything, is of no interest. */
const sayGoodbye = (connection: Connection, code: number): Effect.Effect<void> =>
  request(connection, goodbyeRequest(code), goodbyeLimits).pipe(
    Effect.flatMap(({ chunks }) => Stream.runDrain(chunks)),
    Effect.scoped,
    Effect.timeoutOption(goodbyeTimeout),
    Effect.ignore
  )

/** At once, like a process that goes away: a graceful close would end responses under way as if they were whole. */
const close = (connection: Connection): Effect.Effect<void> =>
  Effect.sync(() => connection.abort(new Error("closed by the peer")))
