import * as HttpApi from "@effect/platform/HttpApi"
import * as HttpLayerRouter from "@effect/platform/HttpLayerRouter"
import * as HttpServerError from "@effect/platform/HttpServerError"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import type { HttpApiGroup } from "@effect/platform"
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import { Cause, Effect, type Layer, Option } from "effect"
import { countResponse } from "../metrics/HttpMetrics.ts"
import { type Access, type Guard, makeGuard, pathOf } from "./Security.ts"
import { BodyNotAllowed, InternalError, jsonError, MethodNotAllowed, NotFound } from "./HttpErrors.ts"

/**
 * What every route has in common: who may come, security headers, no body on the way in, and errors (an unknown path, a
 * bug) as JSON with a `_tag`.
 */
export const layerCommon = (access: Access) => {
  const guard = makeGuard(access)
  return HttpLayerRouter.middleware(
    (route) => Effect.flatMap(HttpServerRequest.HttpServerRequest, handle(guard, route)),
    {
      global: true
    }
  )
}

const handle =
  <E, R>(guard: Guard, route: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>) =>
  (request: HttpServerRequest.HttpServerRequest) =>
    Effect.gen(function* () {
      const body = hasBody(request)
      const refusal = guard.refuse(request)
      const response = Option.isSome(refusal)
        ? refusal.value
        : body
          ? jsonError(new BodyNotAllowed({ path: shownPath(request) }), 413)
          : yield* route.pipe(Effect.catchAllCause((cause) => failureResponse(request, cause)))
      const answer = HttpServerResponse.setHeaders(response, {
        ...securityHeaders,
        ...guard.headers(request),
        ...("cache-control" in response.headers ? {} : { "cache-control": "no-store" }),
        // What is left of a body is not read, so the connection cannot serve another request.
        ...(body ? { connection: "close" } : {})
      })
      yield* countResponse(request, answer)
      giveToNode(request, answer)
      return answer
    })

/** Paths and the methods that they are there for. */
export type MethodsByPath = ReadonlyMap<HttpLayerRouter.PathInput, ReadonlyArray<Method>>

/** Those of an API. */
export const methodsOf = <Id extends string, Groups extends HttpApiGroup.HttpApiGroup.Any, E, R>(
  api: HttpApi.HttpApi<Id, Groups, E, R>
): MethodsByPath => {
  const paths = new Map<HttpLayerRouter.PathInput, Array<Method>>()
  HttpApi.reflect(api, {
    onGroup: () => undefined,
    onEndpoint: ({ endpoint: { method, path } }) => {
      const known = methods.find((one) => one === method)
      if (known !== undefined) paths.set(path, [...(paths.get(path) ?? []), known])
    }
  })
  return paths
}

/** Responds with 405 to every other method. HEAD goes where GET goes. */
export const layerMethodNotAllowed = (paths: MethodsByPath): Layer.Layer<never, never, HttpLayerRouter.HttpRouter> =>
  HttpLayerRouter.addAll(
    [...paths].flatMap(([path, allowed]) =>
      methods
        .filter((method) => !allowed.includes(method))
        .map((method) =>
          HttpLayerRouter.route(method, path, (request) => {
            const all = allowed.flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method]))
            const error = new MethodNotAllowed({ path: shownPath(request), method, allowed: all })
            return Effect.succeed(jsonError(error, 405, { allow: all.join(", ") }))
          })
        )
    )
  )

const methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const
type Method = (typeof methods)[number]

const securityHeaders = {
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin"
}

const hasBody = ({ headers, method }: HttpServerRequest.HttpServerRequest): boolean =>
  (method === "GET" || method === "HEAD") &&
  ("transfer-encoding" in headers || (headers["content-length"] ?? "0") !== "0")

/**
 * What is whole is given to Node at once, and then the library leaves it alone. It would wait until all is sent, which
 * never happens to an answer that stands behind another one of its connection when that ends.
 */
const giveToNode = (request: HttpServerRequest.HttpServerRequest, { body, headers, status }: Answer): void => {
  const node = NodeHttpServerRequest.toServerResponse(request)
  if (node.writableEnded) return
  if (request.method === "HEAD") node.writeHead(status, headers).end()
  else if (body._tag === "Uint8Array") node.writeHead(status, headers).end(body.body)
}

type Answer = HttpServerResponse.HttpServerResponse

/** As much of the path as an error repeats. */
const shownPath = (request: HttpServerRequest.HttpServerRequest): string => pathOf(request).slice(0, 200)

const failureResponse = <E>(request: HttpServerRequest.HttpServerRequest, cause: Cause.Cause<E>) =>
  Effect.gen(function* () {
    if (Cause.isInterruptedOnly(cause)) return yield* Effect.failCause(cause)
    const failure = Cause.failureOption(cause)
    if (Option.isSome(failure) && isNotFound(failure.value)) {
      return jsonError(new NotFound({ path: shownPath(request) }), 404)
    }
    yield* Effect.logError(`${request.method} ${shownPath(request)}`, cause)
    return jsonError(new InternalError(), 500)
  })

const isNotFound = (error: unknown): boolean => HttpServerError.isServerError(error) && error._tag === "RouteNotFound"
