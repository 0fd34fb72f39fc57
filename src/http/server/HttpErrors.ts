import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { Schema } from "effect"
import { ApiError } from "../api/ApiErrors.ts"

/** There is nothing at this path. */
export class NotFound extends Schema.TaggedError<NotFound>()("NotFound", { path: Schema.String }) {}

/** The path is there, but not for this method. */
export class MethodNotAllowed extends Schema.TaggedError<MethodNotAllowed>()("MethodNotAllowed", {
  path: Schema.String,
  method: Schema.String,
  allowed: Schema.Array(Schema.String)
}) {}

/** No request to this server has a body. */
export class BodyNotAllowed extends Schema.TaggedError<BodyNotAllowed>()("BodyNotAllowed", { path: Schema.String }) {}

/** The path speaks WebSocket (version 13, no subprotocol) only. */
export class UpgradeRequired extends Schema.TaggedError<UpgradeRequired>()("UpgradeRequired", {
  path: Schema.String
}) {}

/** The request has a body of more than `limit` bytes, or does not say how many. */
export class PayloadTooLarge extends Schema.TaggedError<PayloadTooLarge>()("PayloadTooLarge", { limit: Schema.Int }) {}

/** The token is missing or wrong. */
export class Unauthorized extends Schema.TaggedError<Unauthorized>()("Unauthorized", { reason: Schema.String }) {}

/** As many streams (`/ws` and `/events`) are open as are allowed at once. */
export class TooManyStreams extends Schema.TaggedError<TooManyStreams>()("TooManyStreams", { limit: Schema.Int }) {}

/** A bug; the log has the cause. */
export class InternalError extends Schema.TaggedError<InternalError>()("InternalError", {}) {}

/** Every error that this server responds with, as JSON. */
export const HttpError = Schema.Union(
  NotFound,
  MethodNotAllowed,
  BodyNotAllowed,
  UpgradeRequired,
  Unauthorized,
  PayloadTooLarge,
  TooManyStreams,
  InternalError,
  ApiError
)
export type HttpError = typeof HttpError.Type

export const jsonError = (
  error: HttpError,
  status: number,
  headers: Readonly<Record<string, string>> = {}
): HttpServerResponse.HttpServerResponse => HttpServerResponse.unsafeJson(encode(error), { status, headers })

const encode = Schema.encodeSync(HttpError)
