import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Socket from "@effect/platform/Socket"
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import { Cause, Deferred, Effect, Either, Exit, Fiber } from "effect"
import type * as Net from "node:net"
import { errorResponse } from "../api/ApiErrors.ts"
import { webSocketFraming } from "./Framing.ts"
import { jsonError, TooManyStreams, UpgradeRequired } from "../server/HttpErrors.ts"
import { destroyAfterGrace, farewell, flood } from "./StreamConnection.ts"
import type { StreamHub } from "./StreamHub.ts"
import { readStreamQuery, type StreamQuery } from "./StreamQuery.ts"

/**
 * `GET /ws`: a snapshot, or a replay from `?since=`, then every wanted event, each as one JSON message
 * (`StreamMessage`). What clients send is read, bounded and ignored.
 */
export const webSocketHandler = (hub: StreamHub) =>
  Effect.gen(function* () {
    const request = yield* HttpServerRequest.HttpServerRequest
    const tcp = NodeHttpServerRequest.toIncomingMessage(request).socket
    if (!isUpgrade(request) || !tcp.readable || !tcp.writable) {
      return jsonError(new UpgradeRequired({ path: "/ws" }), 426, {
        connection: "close, upgrade",
        upgrade: "websocket"
      })
    }
    const query = readStreamQuery(request.url)
    if (Either.isLeft(query)) return errorResponse(query.left)
    if (hub.isFull()) return jsonError(new TooManyStreams({ limit: hub.limits.maxStreams }), 503)
    yield* hub.counted("websocket", Effect.scoped(serve(hub, query.right, request, tcp))).pipe(Effect.ignore)
    return HttpServerResponse.empty()
  })

const serve = Effect.fnUntraced(function* (
  hub: StreamHub,
  query: StreamQuery,
  request: HttpServerRequest.HttpServerRequest,
  tcp: Net.Socket
) {
  yield* Effect.addFinalizer(() => destroyAfterGrace(tcp))
  const socket = yield* request.upgrade
  const writeLibrary = yield* socket.writer
  const opened = yield* Deferred.make<void>()
  // The library's writer waits while the socket is not open, and a finalizer must not wait: so it asks here.
  let live = false
  const reader = yield* socket
    .runRaw(() => undefined, {
      onOpen: Effect.zipRight(
        Effect.sync(() => void (live = true)),
        Deferred.succeed(opened, undefined)
      )
    })
    .pipe(
      Effect.ensuring(Effect.sync(() => void (live = false))),
      Effect.ignore,
      // Nothing here may wait for a handshake that the library has given up without saying so.
      Effect.disconnect,
      Effect.forkScoped
    )
  const close = (code: number, reason: string) =>
    Effect.suspend(() => (live ? Effect.ignore(writeLibrary(new Socket.CloseEvent(code, reason))) : Effect.void))

  const talk = Effect.zipRight(
    Deferred.await(opened),
    hub.serve({ framing: webSocketFraming, tcp, isOpen: () => live }, query)
  )
  yield* Effect.raceFirst(talk, flood(tcp)).pipe(
    Effect.catchTag("Cut", (cut) => Effect.zipRight(close(cut.code, cut.reason), Effect.sleep(farewell(cut)))),
    Effect.onInterrupt(() => close(1001, "the server is stopping")),
    Effect.raceFirst(endOf(reader))
  )
})

/** Waits for it; only a defect is passed on. */
const endOf = (fiber: Fiber.Fiber<void>): Effect.Effect<void> =>
  Effect.flatMap(Fiber.await(fiber), (exit) => (Exit.isFailure(exit) && Cause.isDie(exit.cause) ? exit : Effect.void))

/** What the library checks too; but there a wrong handshake is refused without an end to our effect. */
const isUpgrade = ({ headers }: HttpServerRequest.HttpServerRequest): boolean =>
  headers["upgrade"]?.toLowerCase() === "websocket" &&
  /^[+/0-9A-Za-z]{22}==$/.test(headers["sec-websocket-key"] ?? "") &&
  headers["sec-websocket-version"] === "13" &&
  headers["sec-websocket-protocol"] === undefined
