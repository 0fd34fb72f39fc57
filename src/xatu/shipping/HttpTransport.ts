import { promisify } from "node:util"
import { gzip } from "node:zlib"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type { HttpClientResponse } from "@effect/platform"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { Effect, Layer, Option, Stream } from "effect"
import { concatBytes } from "../../domain/Bytes.ts"
import { decodeIngested } from "../event/Codec.ts"
import { messageOf, printable } from "../../domain/Text.ts"
import { AccessDenied, BatchRefused, type SendError, sendLimitMs, ServerUnavailable, Transport } from "./Transport.ts"

export interface HttpOptions {
  /** `http://` or `https://`, the path included. */
  readonly url: string
  /** PEM of the authorities to trust, or `system` for those of Node; none is plaintext. */
  readonly tls: Option.Option<Uint8Array | "system">
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
}

/** `POST /v1/events`: protobuf in gzip, answered by 202. */
export const layer = ({ headers, tls, url }: HttpOptions): Layer.Layer<Transport> =>
  Layer.effect(
    Transport,
    Effect.gen(function* () {
      const client = HttpClient.withTracerDisabledWhen(yield* HttpClient.HttpClient, () => true).pipe(
        HttpClient.withScope
      )

      const post = (body: Uint8Array) =>
        client.execute(
          HttpClientRequest.post(url).pipe(
            HttpClientRequest.setHeaders({ ...headers, "content-encoding": "gzip" }),
            // The server compares this type letter by letter.
            HttpClientRequest.bodyUint8Array(body, "application/x-protobuf")
          )
        )

      return Transport.of({
        name: url,
        send: (request) =>
          Effect.gen(function* () {
            const response = yield* post(yield* compress(request))
            return yield* answerOf(response, yield* readStart(response))
          }).pipe(
            Effect.scoped,
            Effect.catchTags({
              RequestError: ({ cause, message }) => unavailable(cause === undefined ? message : messageOf(cause)),
              ResponseError: ({ cause, message }) => unavailable(cause === undefined ? message : messageOf(cause))
            }),
            Effect.timeoutFail({
              duration: sendLimitMs,
              onTimeout: () => new ServerUnavailable({ reason: `no answer within ${sendLimitMs} ms` })
            })
          )
      })
    })
  ).pipe(
    Layer.provide(NodeHttpClient.layerWithoutAgent),
    Layer.provide(
      NodeHttpClient.makeAgentLayer({
        keepAlive: true,
        ...(Option.isSome(tls) && tls.value !== "system" ? { ca: Buffer.from(tls.value) } : {})
      })
    )
  )

const compress = (bytes: Uint8Array) => Effect.promise(() => promisify(gzip)(bytes))

/** The start of a body: answers that say something are short. */
const readStart = (response: HttpClientResponse.HttpClientResponse) => {
  const parts: Array<Uint8Array> = []
  let size = 0
  return response.stream.pipe(
    Stream.takeUntil((part) => {
      parts.push(part)
      size += part.length
      return size >= longestAnswer
    }),
    Stream.runDrain,
    Effect.map(() => concatBytes(parts).subarray(0, longestAnswer))
  )
}

const longestAnswer = 4096

const answerOf = (
  { status }: HttpClientResponse.HttpClientResponse,
  body: Uint8Array
): Effect.Effect<Option.Option<number>, SendError> => {
  if (status === 202) return Effect.succeed(decodeIngested(body))
  const reason = printable(`HTTP ${status} ${Buffer.from(body).toString("utf8")}`, 300)
  switch (status) {
    case 400:
    case 413:
    case 422:
    case 500:
      return new BatchRefused({ reason })
    case 401:
    case 403:
      return new AccessDenied({ reason: `${reason} (check xatu.username and xatu.password, or xatu.headers)` })
    case 408:
    case 429:
      return new ServerUnavailable({ reason })
    default:
      return status > 500
        ? new ServerUnavailable({ reason })
        : new AccessDenied({
            reason: `${reason} (xatu.address is not the HTTP ingester of a Xatu server, which says 202)`
          })
  }
}

const unavailable = (reason: string) => Effect.fail(new ServerUnavailable({ reason: printable(reason, 300) }))
