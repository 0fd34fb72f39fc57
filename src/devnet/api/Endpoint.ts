import * as HttpLayerRouter from "@effect/platform/HttpLayerRouter"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { Effect, Schema } from "effect"

/** What the Beacon API responds with instead of data: a status code, and `{code, message}` as its body. */
export class EndpointError extends Schema.TaggedError<EndpointError>()("EndpointError", {
  code: Schema.Int,
  reason: Schema.String
}) {
  override get message(): string {
    return this.reason
  }
}

export const badRequest = (reason: string): EndpointError => new EndpointError({ code: 400, reason })
export const notFound = (reason: string): EndpointError => new EndpointError({ code: 404, reason })

/** What a handler may look at. */
export interface ApiRequest {
  /** A parameter of the path. */
  readonly path: (name: string) => string
  /** Every value of a query parameter, in order; empty where it is absent. */
  readonly query: (name: string) => ReadonlyArray<string>
  /** The Accept header; empty where it is absent. */
  readonly accept: string
}

/** An endpoint that responds to GET with what the handler gives, or with its error as JSON. */
export const get = (
  path: HttpLayerRouter.PathInput,
  handler: (request: ApiRequest) => Effect.Effect<HttpServerResponse.HttpServerResponse, EndpointError>
) => route("GET", path, handler)

export const route = (
  method: "GET" | "POST" | "*",
  path: HttpLayerRouter.PathInput,
  handler: (request: ApiRequest) => Effect.Effect<HttpServerResponse.HttpServerResponse, EndpointError>
) =>
  HttpLayerRouter.route(
    method,
    path,
    Effect.gen(function* () {
      const request = yield* HttpServerRequest.HttpServerRequest
      const path = yield* HttpLayerRouter.params
      const query = yield* HttpServerRequest.ParsedSearchParams
      return yield* handler({
        path: (name) => path[name] ?? "",
        query: (name) => [query[name] ?? []].flat(),
        accept: request.headers["accept"] ?? ""
      })
    }).pipe(Effect.catchTag("EndpointError", (error) => Effect.succeed(errorResponse(error))))
  )

/** `{data, …}` as JSON. */
export const data = (
  data: unknown,
  more: Readonly<Record<string, unknown>> = {}
): HttpServerResponse.HttpServerResponse => HttpServerResponse.unsafeJson({ ...more, data })

export const errorResponse = ({ code, reason }: EndpointError): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.unsafeJson({ code, message: reason }, { status: code })
