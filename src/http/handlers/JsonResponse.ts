import { createHash } from "node:crypto"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { Effect, Schema } from "effect"

/** Makes responses of values that are of this moment, and not worth keeping: as JSON. */
export const jsonResponse = <A, I>(schema: Schema.Schema<A, I>) => {
  const encode = Schema.encode(Schema.parseJson(schema))
  return (value: A) => Effect.map(Effect.orDie(encode(value)), jsonText)
}

/** The same for what often stays as it was: with an ETag, and 304 for who has it already. */
export const cachedJsonResponse = <A, I>(schema: Schema.Schema<A, I>) => {
  const encode = Schema.encode(Schema.parseJson(schema))
  return (value: A) => Effect.flatMap(Effect.orDie(encode(value)), (text) => withEtag(jsonText(text), text))
}

/** `response`, whose body is `text`, with an ETag; or 304 when the request names it. */
export const withEtag = (
  response: HttpServerResponse.HttpServerResponse,
  text: string
): Effect.Effect<HttpServerResponse.HttpServerResponse, never, HttpServerRequest.HttpServerRequest> => {
  const etag = `"${createHash("sha256").update(text).digest("base64url").slice(0, 27)}"`
  return Effect.map(HttpServerRequest.HttpServerRequest, ({ headers }) =>
    HttpServerResponse.setHeaders(
      isNamed(headers["if-none-match"], etag) ? HttpServerResponse.empty({ status: 304 }) : response,
      // Kept, but never shown without being asked for again.
      { etag, "cache-control": "no-cache" }
    )
  )
}

/** A tag that someone on the way made weak is still the same text. */
const isNamed = (ifNoneMatch: string | undefined, etag: string): boolean =>
  ifNoneMatch !== undefined &&
  ifNoneMatch.split(",").some((tag) => {
    const known = tag.trim()
    return known === "*" || known === etag || known === `W/${etag}`
  })

const jsonText = (text: string) => HttpServerResponse.text(text, { contentType: "application/json" })
