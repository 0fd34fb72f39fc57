import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type { HttpClientResponse } from "@effect/platform"
import { Duration, Effect, Either, Encoding, Option, Schedule, type Scope, Stream } from "effect"
import { concatBytes } from "../../domain/Bytes.ts"
import { measured } from "./BeaconMetrics.ts"
import { BeaconFailure } from "./BeaconFailure.ts"
import { messageOf, printable } from "../../domain/Text.ts"

/** A whole answer with status 200. */
export interface BeaconAnswer {
  /** Without parameters, lower case. */
  readonly contentType: string
  /** `Eth-Consensus-Version`. */
  readonly version: string | undefined
  /** `Date` of the node's clock, in whole seconds, as Unix milliseconds; none where the answer may have been kept for a while. */
  readonly date: Option.Option<number>
  readonly body: Uint8Array
}

export interface BeaconHttpOptions {
  /** `http(s)://[user:password@]host[:port][/path][?query]`; path and query are kept for every request. */
  readonly url: string
  /** For one whole request. */
  readonly timeout: Duration.Duration
  /** Requests under way at once. */
  readonly concurrency: number
}

/** Bounded GET requests to one beacon node. */
export interface BeaconHttp {
  /** The address without credentials, path and query, for messages. */
  readonly name: string
  /** What an error about a request for `path` calls it. */
  readonly operation: (path: string) => string
  /** The answer, or none where there is no such thing (404). Failures that are `retried` are asked again, a few times. */
  readonly get: (
    path: string,
    accept: string,
    /** Those that are transient if left out. */
    retried?: (error: BeaconFailure) => boolean
  ) => Effect.Effect<Option.Option<BeaconAnswer>, BeaconFailure>
  /** The bytes of an endless answer with status 200 and this content type; its head came when this returns. */
  readonly open: (
    path: string,
    contentType: string,
    /** For the head of the answer. */
    limit: Duration.Duration
  ) => Effect.Effect<Stream.Stream<Uint8Array, BeaconFailure>, BeaconFailure, Scope.Scope>
}

export const jsonType = "application/json"
export const sszType = "application/octet-stream"

/** No block or list that is asked for is larger. */
const maxBodyBytes = 16 * 2 ** 20

/** Fails on an address that cannot be one. */
export const makeBeaconHttp = Effect.fnUntraced(function* (options: BeaconHttpOptions) {
  const base = yield* parseBase(options.url)
  const client = HttpClient.withTracerDisabledWhen(yield* HttpClient.HttpClient, () => true).pipe(HttpClient.withScope)
  const permits = yield* Effect.makeSemaphore(options.concurrency)
  const operation = (path: string): string => `GET ${base.name}${path}`

  const execute = (path: string, accept: string) =>
    client.execute(
      HttpClientRequest.get(`${base.prefix}${path}${base.query(path)}`).pipe(
        HttpClientRequest.setHeader("accept", accept),
        base.credentials === undefined
          ? (request) => request
          : HttpClientRequest.setHeader("authorization", base.credentials)
      )
    )

  const attempt = Effect.fnUntraced(function* (path: string, accept: string) {
    const fail = failure(operation(path))
    const response = yield* Effect.mapError(execute(path, accept), (error) => fail(reasonOf(error.cause ?? error)))
    if (response.status === 404) return Option.none()
    if (response.status !== 200) return yield* badStatus(response, fail)
    const body = yield* readBody(response, maxBodyBytes).pipe(
      Effect.mapError((error) =>
        typeof error === "string" ? fail(error, { transient: false }) : fail(reasonOf(error))
      )
    )
    return Option.some({
      contentType: contentTypeOf(response),
      version: response.headers["eth-consensus-version"],
      date: dateOf(response),
      body
    })
  })

  const http: BeaconHttp = {
    name: base.name,
    operation,
    get: (path, accept, retried = ({ transient }) => transient) =>
      attempt(path, accept).pipe(
        Effect.scoped,
        withLimit(options.timeout, operation(path)),
        measured(path, (answer) => (Option.isSome(answer) ? "ok" : "not_found")),
        permits.withPermits(1),
        Effect.retry({ schedule: requestRetries, while: retried })
      ),
    open: Effect.fnUntraced(function* (path, contentType, limit) {
      const fail = failure(operation(path))
      const response = yield* execute(path, contentType).pipe(
        Effect.mapError((error) => fail(reasonOf(error.cause ?? error))),
        withLimit(limit, operation(path)),
        measured(path, ({ status }) => (status === 200 ? "ok" : "failed"))
      )
      if (response.status !== 200) return yield* badStatus(response, fail)
      if (contentTypeOf(response) !== contentType) {
        return yield* fail(`expected ${contentType}, got ${contentTypeOf(response) || "no content type"}`, {
          transient: false,
          status: response.status
        })
      }
      return Stream.mapError(response.stream, (error) => fail(reasonOf(error.cause ?? error)))
    })
  }
  return http
})

/** 3 more attempts within about 2 seconds. */
const requestRetries = Schedule.exponential("200 millis").pipe(
  Schedule.jittered,
  Schedule.intersect(Schedule.recurs(3))
)

type Fail = (reason: string, how?: { readonly transient?: boolean; readonly status?: number }) => BeaconFailure

const failure =
  (operation: string): Fail =>
  (reason, how) =>
    new BeaconFailure({
      operation,
      reason,
      status: Option.fromNullable(how?.status),
      transient: how?.transient ?? true
    })

const withLimit =
  (timeout: Duration.Duration, operation: string) =>
  <A, R>(effect: Effect.Effect<A, BeaconFailure, R>): Effect.Effect<A, BeaconFailure, R> =>
    Effect.timeoutFail(effect, {
      duration: timeout,
      onTimeout: () => failure(operation)(`no whole answer within ${Duration.toMillis(timeout)} ms`)
    })

/** Reads no further than `limit`, whatever content-length says; fails with a text when there is more. */
const readBody = Effect.fnUntraced(function* (response: HttpClientResponse.HttpClientResponse, limit: number) {
  const parts: Array<Uint8Array> = []
  let size = 0
  yield* Stream.runForEach(response.stream, (part) => {
    size += part.length
    if (size > limit) return Effect.fail(`the answer is longer than ${limit} bytes`)
    parts.push(part)
    return Effect.void
  })
  return concatBytes(parts)
})

/** The start of an error's body, as a hint; never fails and never reads far. */
const hint = (response: HttpClientResponse.HttpClientResponse): Effect.Effect<string> =>
  response.stream.pipe(
    Stream.take(1),
    Stream.runCollect,
    Effect.map((parts) => printable(Buffer.from(concatBytes([...parts])).toString("utf8"), 200).trim()),
    Effect.timeout("1 second"),
    Effect.orElseSucceed(() => "")
  )

const badStatus = Effect.fnUntraced(function* (response: HttpClientResponse.HttpClientResponse, fail: Fail) {
  const { status } = response
  const location = response.headers["location"]
  if (status >= 300 && status < 400) {
    return yield* fail(
      `it redirects (HTTP ${status})${location === undefined ? "" : ` to ${originOf(location)}`}; configure the address that answers itself`,
      { transient: false, status }
    )
  }
  const text = yield* hint(response)
  return yield* fail(`HTTP ${status}${text === "" ? "" : `: ${text}`}`, {
    transient: status >= 500 || status === 429 || status === 408,
    status
  })
})

const contentTypeOf = (response: HttpClientResponse.HttpClientResponse): string =>
  (response.headers["content-type"] ?? "").split(";", 1).join("").trim().toLowerCase()

const dateOf = ({ headers }: HttpClientResponse.HttpClientResponse): Option.Option<number> =>
  Option.fromNullable(headers["age"] === undefined ? headers["date"] : undefined).pipe(
    Option.map(Date.parse),
    Option.filter(Number.isFinite)
  )

interface Base {
  readonly name: string
  readonly prefix: string
  readonly query: (path: string) => string
  readonly credentials: string | undefined
}

const parseBase = (text: string): Effect.Effect<Base, BeaconFailure> =>
  Effect.try({
    try: () => {
      const url = new URL(text)
      if (url.protocol !== "http:" && url.protocol !== "https:") throw new Error("not http")
      const path = url.pathname.replace(/\/+$/, "")
      const { search } = url
      return {
        // The path may hold a provider's key.
        name: `${url.origin}${path === "" ? "" : "/…"}`,
        prefix: `${url.origin}${path}`,
        query: (path: string) => (search === "" ? "" : path.includes("?") ? `&${search.slice(1)}` : search),
        credentials:
          url.username === "" && url.password === ""
            ? undefined
            : `Basic ${Encoding.encodeBase64(`${decoded(url.username)}:${decoded(url.password)}`)}`
      }
    },
    catch: () => failure("beacon API")("the address is not an http:// or https:// URL", { transient: false })
  })

const decoded = (text: string): string =>
  Either.getOrElse(
    Either.try(() => decodeURIComponent(text)),
    () => text
  )

const originOf = (location: string): string =>
  Either.getOrElse(
    Either.try(() => new URL(location).origin),
    () => "another path"
  )

const reasonOf = (error: unknown): string => printable(messageOf(error), 200).trim()
