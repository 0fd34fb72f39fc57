import * as HttpServer from "@effect/platform/HttpServer"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { Effect, Layer, Predicate, Runtime, Scope } from "effect"
import * as Http from "node:http"
import type * as Net from "node:net"
import { type AddressKey, formatAddress, HttpServerError } from "./HttpServerError.ts"
import { messageOf } from "../../domain/Text.ts"

export interface ListenOptions {
  /** The configuration key that an error names. */
  readonly key: AddressKey
  readonly host: string
  /** 0 for any that is free. */
  readonly port: number
  /** TCP connections beyond this are dropped. */
  readonly maxConnections: number
}

/**
 * Node's HTTP server with limits on time and size. When the scope closes, open connections have `graceMs` to finish
 * and are then destroyed, so that neither a keep-alive connection nor a WebSocket holds up the end of the program.
 */
export const layer = (options: ListenOptions): Layer.Layer<HttpServer.HttpServer, HttpServerError> =>
  Layer.scoped(HttpServer.HttpServer, listen(options))

/** Milliseconds that open connections have to finish. */
export const graceMs = 150

const listen = Effect.fnUntraced(function* (options: ListenOptions) {
  const runFork = Runtime.runFork(yield* Effect.runtime())
  const node = Http.createServer({
    headersTimeout: 10_000,
    requestTimeout: 30_000,
    keepAliveTimeout: 5_000,
    connectionsCheckingInterval: 5_000,
    maxHeaderSize: 16 * 1024
  })
  node.timeout = 60_000
  node.maxHeadersCount = 100
  node.maxConnections = options.maxConnections

  const sockets = new Set<Net.Socket>()
  node.on("connection", (socket) => {
    sockets.add(socket)
    socket.once("close", () => sockets.delete(socket))
  })
  // Node takes its own listener off a socket that asks for an upgrade: without this one a reset would be an uncaught
  // error. And such a socket stays half open for as long as the client likes, once a refusal has been written to it.
  node.on("upgrade", (_, socket) => {
    socket.on("error", () => socket.destroy())
    socket.once("finish", () => {
      const timer = setTimeout(() => socket.destroy(), graceMs)
      socket.once("close", () => clearTimeout(timer))
    })
  })
  // Failures to accept a connection, such as too many open files, come as events once the server listens.
  node.on("error", (error) => runFork(Effect.logDebug(`http server: ${error.message}`)))

  // The library's own finalizers wait for every client without a limit: the clients must be gone before they run.
  const scope = yield* Effect.acquireRelease(Scope.make(), (scope, exit) =>
    Effect.zipRight(shutdown(node, sockets), Scope.close(scope, exit))
  )
  return yield* NodeHttpServer.make(() => node, { host: options.host, port: options.port }).pipe(
    Scope.extend(scope),
    Effect.mapError(
      ({ cause }) =>
        new HttpServerError({
          key: options.key,
          address: formatAddress(options.host, options.port),
          code: Predicate.hasProperty(cause, "code") ? String(cause.code) : "",
          reason: messageOf(cause)
        })
    )
  )
})

const shutdown = (node: Http.Server, sockets: ReadonlySet<Net.Socket>): Effect.Effect<void> =>
  Effect.async((resume) => {
    if (!node.listening) return resume(Effect.void)
    const timer = setTimeout(() => {
      for (const socket of sockets) socket.destroy()
    }, graceMs)
    node.close(() => {
      clearTimeout(timer)
      resume(Effect.void)
    })
    node.closeIdleConnections()
  })
