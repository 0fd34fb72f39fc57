import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import { Effect, Either, Option, Stream } from "effect"
import type * as Http from "node:http"
import type * as Net from "node:net"
import { errorResponse } from "../api/ApiErrors.ts"
import { framed, sseFraming } from "./Framing.ts"
import { jsonError, TooManyStreams } from "../server/HttpErrors.ts"
import { type Cut, destroyAfterGrace, farewell, stopping, type StreamConnection, write } from "./StreamConnection.ts"
import type { StreamHub } from "./StreamHub.ts"
import { outgoing } from "./StreamMessage.ts"
import { readEventId, readStreamQuery, type StreamQuery } from "./StreamQuery.ts"

/**
 * `GET /events`: what `/ws` sends, as server-sent events, for those behind proxies that know nothing of WebSockets. A
 * browser that connects again says where it was (`Last-Event-ID`) and goes on from there.
 */
export const sseHandler = (hub: StreamHub) =>
  Effect.gen(function* () {
    const request = yield* HttpServerRequest.HttpServerRequest
    const response = NodeHttpServerRequest.toServerResponse(request)
    const { socket: tcp } = response
    const read = readStreamQuery(request.url)
    if (Either.isLeft(read)) return errorResponse(read.left)
    // Without the socket the response to an earlier request of the connection is still being written.
    if (tcp === null || hub.isFull()) return jsonError(new TooManyStreams({ limit: hub.limits.maxStreams }), 503)
    const resumed = Option.getOrUndefined(readEventId(request.headers["last-event-id"]))
    const query = { ...read.right, position: resumed ?? read.right.position }
    // The body ends with the connection: chunks would have to be made for each client anew.
    response.useChunkedEncodingByDefault = false
    return HttpServerResponse.stream(Stream.execute(serve(hub, query, response, tcp)), {
      contentType: "text/event-stream",
      headers: { "cache-control": "no-cache, no-transform", "x-accel-buffering": "no", connection: "close" }
    })
  })

/** Milliseconds after which a browser connects again. */
const retryMs = 2000

/** Begins when the head of the response is written; what it writes goes past the response, which sends nothing itself. */
const serve = (hub: StreamHub, query: StreamQuery, response: Http.ServerResponse, tcp: Net.Socket) =>
  Effect.suspend(() => {
    response.flushHeaders()
    tcp.write(`retry: ${retryMs}\n\n`)
    const connection: StreamConnection = { framing: sseFraming(hub.run), tcp, isOpen: () => !tcp.destroyed }
    const say = ({ reason }: Cut) =>
      Effect.sync(() => {
        write(connection, Buffer.concat(framed(connection.framing, outgoing({ _tag: "Cut", reason }))))
        tcp.end()
      })
    return hub.counted("sse", hub.serve(connection, query)).pipe(
      Effect.catchTag("Cut", (cut) => Effect.zipRight(say(cut), Effect.timeoutOption(closed(tcp), farewell(cut)))),
      Effect.onInterrupt(() => say(stopping)),
      Effect.ensuring(destroyAfterGrace(tcp))
    )
  })

const closed = (tcp: Net.Socket): Effect.Effect<void> =>
  Effect.async((resume) => {
    if (tcp.destroyed) return resume(Effect.void)
    tcp.once("close", () => resume(Effect.void))
  })
