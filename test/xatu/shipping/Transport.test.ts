import * as Http from "node:http"
import * as Http2 from "node:http2"
import { gunzipSync } from "node:zlib"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Either, Option, Schema } from "effect"
import * as GrpcTransport from "../../../src/xatu/shipping/GrpcTransport.ts"
import * as HttpTransport from "../../../src/xatu/shipping/HttpTransport.ts"
import { Transport } from "../../../src/xatu/shipping/Transport.ts"
import { writeResponse } from "../XatuProto.ts"

const Address = Schema.Struct({ port: Schema.Int })
const request = new Uint8Array(1000).fill(7)

/** A server whose every connection is cut when the scope closes. */
const listen = (server: Http.Server | Http2.Http2Server) =>
  Effect.acquireRelease(
    Effect.async<number>((resume) => {
      server.listen(0, "127.0.0.1", () =>
        resume(Effect.succeed(Schema.decodeUnknownSync(Address)(server.address()).port))
      )
    }),
    () => Effect.sync(() => server.close())
  )

describe("gRPC on the wire", () => {
  it.scopedLive("is one compressed message with a deadline and our headers", () =>
    Effect.gen(function* () {
      const seen: Array<{ readonly headers: Http2.IncomingHttpHeaders; readonly body: Buffer }> = []
      const server = Http2.createServer()
      server.on("stream", (stream, headers) => {
        const parts: Array<Buffer> = []
        stream.on("data", (part: Buffer) => parts.push(part))
        stream.on("end", () => {
          seen.push({ headers, body: Buffer.concat(parts) })
          const answer = writeResponse(3)
          stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true })
          stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }))
          stream.end(Buffer.concat([Buffer.from([0, 0, 0, 0, answer.length]), answer]))
        })
      })
      const port = yield* listen(server)
      const ingested = yield* Effect.flatMap(Transport, ({ send }) => send(request)).pipe(
        Effect.provide(
          GrpcTransport.layer({ host: "127.0.0.1", port, tls: Option.none(), headers: { authorization: "Basic eDp5" } })
        )
      )
      assert.deepStrictEqual(ingested, Option.some(3))
      const [call] = seen
      assert.deepInclude(call?.headers, {
        ":path": "/xatu.EventIngester/CreateEvents",
        ":method": "POST",
        "content-type": "application/grpc",
        "grpc-encoding": "gzip",
        authorization: "Basic eDp5"
      })
      assert.match(String(call?.headers["grpc-timeout"]), /^(2\d{4}|30000)m$/)
      // A flag, four bytes of length, and the message.
      assert.strictEqual(call?.body[0], 1)
      assert.deepStrictEqual([...gunzipSync(call?.body.subarray(5) ?? "")], [...request])
    })
  )
})

describe("HTTP on the wire", () => {
  const answers: ReadonlyArray<readonly [status: number, error: string | undefined]> = [
    [202, undefined],
    [200, "AccessDenied"],
    [301, "AccessDenied"],
    [400, "BatchRefused"],
    [401, "AccessDenied"],
    [403, "AccessDenied"],
    [404, "AccessDenied"],
    [405, "AccessDenied"],
    [408, "ServerUnavailable"],
    [413, "BatchRefused"],
    [415, "AccessDenied"],
    [429, "ServerUnavailable"],
    [500, "BatchRefused"],
    [502, "ServerUnavailable"],
    [503, "ServerUnavailable"],
    [504, "ServerUnavailable"]
  ]

  it.scopedLive("is one compressed body of exactly this type, and every status has its meaning", () =>
    Effect.gen(function* () {
      const seen: Array<{ readonly request: Http.IncomingMessage; readonly body: Buffer }> = []
      let status = 202
      const server = Http.createServer((request, response) => {
        const parts: Array<Buffer> = []
        request.on("data", (part: Buffer) => parts.push(part))
        request.on("end", () => {
          seen.push({ request, body: Buffer.concat(parts) })
          response.writeHead(status, { location: "/elsewhere" })
          response.end(status === 202 ? writeResponse(5) : `no\n${"x".repeat(100_000)}`)
        })
      })
      const url = `http://127.0.0.1:${yield* listen(server)}/v1/events`
      yield* Effect.gen(function* () {
        const { send } = yield* Transport
        for (const [code, error] of answers) {
          status = code
          const sent = yield* Effect.either(send(request))
          if (Either.isRight(sent)) {
            assert.isUndefined(error, String(code))
            assert.deepStrictEqual(sent.right, Option.some(5))
          } else {
            assert.strictEqual(sent.left._tag, error, String(code))
            assert.isBelow(sent.left.reason.length, 500)
          }
        }
      }).pipe(Effect.provide(HttpTransport.layer({ url, tls: Option.none(), headers: { "x-scope": "lab" } })))
      assert.strictEqual(seen.length, answers.length)
      for (const { body, request: got } of seen) {
        assert.strictEqual(`${got.method} ${got.url}`, "POST /v1/events")
        assert.deepInclude(got.headers, {
          "content-type": "application/x-protobuf",
          "content-encoding": "gzip",
          "x-scope": "lab"
        })
        assert.deepStrictEqual([...gunzipSync(body)], [...request])
      }
    })
  )
})
