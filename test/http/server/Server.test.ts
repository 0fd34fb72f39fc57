import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Exit, Layer, Logger, LogLevel, Metric, Schema, Scope } from "effect"
import { createHash } from "node:crypto"
import { Script } from "node:vm"
import { Dasmon, Snapshot } from "../../../src/Dasmon.ts"
import { httpRequests } from "../../../src/domain/metrics/Metrics.ts"
import { Status } from "../../../src/domain/Status.ts"
import { PeerPage } from "../../../src/http/api/ResponseSchemas.ts"
import { HttpError } from "../../../src/http/server/HttpErrors.ts"
import { HttpAddress, layer, type ServerOptions } from "../../../src/http/server/Server.ts"
import { leftSince, lookAround } from "../../leaks/Leaks.ts"
import { connect, get, raw, upgradeRequest } from "../Client.ts"
import { type FakeDasmon, makeFakeDasmon, peerOf, statusOf } from "../FakeDasmon.ts"
import { eventually } from "../../Eventually.ts"
import { scaled, scaledMs } from "../../TimeLimits.ts"

const start = (fake: FakeDasmon, options: Partial<ServerOptions> = {}) =>
  Layer.build(layer({ host: "127.0.0.1", port: 0, ...options }).pipe(Layer.provide(fake.layer))).pipe(
    Effect.map(Context.get(HttpAddress))
  )

/** The answer to a hand-written request on a connection of its own, read until the server closes it. */
const exchange = (port: number, request: string) =>
  Effect.gen(function* () {
    const connection = yield* raw(port)
    yield* connection.send(request)
    yield* connection.ended.pipe(Effect.timeout(scaled("10 seconds")))
    return (yield* connection.received).toString()
  }).pipe(Effect.scoped)

const decodeError = Schema.decodeUnknown(Schema.parseJson(HttpError))
const bodyOf = (answer: string) => answer.slice(answer.indexOf("\r\n\r\n") + 4)

describe("the HTTP API", () => {
  it.scoped("answers /status, /peers and /snapshot with exactly what their schemas say", () =>
    Effect.gen(function* () {
      const fake = yield* makeFakeDasmon()
      const peers = [
        peerOf("16Uiu2A"),
        peerOf("16Uiu2B", { custody: null, agent: null, findings: { claim_mismatch: 2 } })
      ]
      yield* fake.setPeers(peers)
      yield* fake.setStatus(statusOf({ headSlot: 77 }))
      yield* fake.publish({ _tag: "SystemSnapshot", status: statusOf({}) })
      const { url } = yield* start(fake)
      const strict = { onExcessProperty: "error" } as const

      const status = yield* Effect.flatMap(get(`${url}/status`), ({ text }) =>
        Schema.decode(Schema.parseJson(Status), strict)(text)
      )
      assert.deepStrictEqual(status, statusOf({ headSlot: 77, sequence: 1 }))
      const listed = yield* Effect.flatMap(get(`${url}/peers`), ({ text }) =>
        Schema.decode(Schema.parseJson(PeerPage), strict)(text)
      )
      assert.deepStrictEqual(listed, { total: 2, peers, next: null })
      const response = yield* get(`${url}/snapshot`)
      assert.deepStrictEqual(yield* Schema.decode(Schema.parseJson(Snapshot), strict)(response.text), {
        run: fake.run,
        sequence: 1,
        status,
        peers
      })
      assert.match(response.headers["content-type"] ?? "", /^application\/json/)
      assert.strictEqual(response.headers["cache-control"], "no-store")
    })
  )

  it.scoped("describes itself at /openapi.json", () =>
    Effect.gen(function* () {
      const { url } = yield* start(yield* makeFakeDasmon())
      const { text } = yield* get(`${url}/openapi.json`)
      const document = yield* Schema.decode(
        Schema.parseJson(
          Schema.Struct({
            openapi: Schema.String,
            paths: Schema.Record({ key: Schema.String, value: Schema.Unknown }),
            components: Schema.Struct({ schemas: Schema.Record({ key: Schema.String, value: Schema.Unknown }) })
          })
        )
      )(text)
      assert.match(document.openapi, /^3\./)
      assert.deepStrictEqual(Object.keys(document.paths).sort(), [
        "/availability",
        "/clients",
        "/columns",
        "/healthz",
        "/peers",
        "/peers/{peerId}",
        "/peers/{peerId}/probe",
        "/probes",
        "/probes/{id}",
        "/providers",
        "/readyz",
        "/report",
        "/scan",
        "/scan/{id}",
        "/slots/{slot}",
        "/slots/{slot}/arrivals",
        "/slots/{slot}/blobs/{index}",
        "/slots/{slot}/matrix",
        "/snapshot",
        "/status"
      ])
      assert.notInclude(text, "HttpApiDecodeError")
    })
  )

  it.scoped("answers what it does not have, or not so, with a typed JSON error", () =>
    Effect.gen(function* () {
      const { port, url } = yield* start(yield* makeFakeDasmon())
      const missing = yield* get(`${url}/no/such/thing?x=1`)
      assert.strictEqual(missing.status, 404)
      assert.deepStrictEqual(JSON.parse(missing.text), { _tag: "NotFound", path: "/no/such/thing" })

      const head = `Host: 127.0.0.1:${port}\r\nConnection: close\r\n`
      const posted = yield* exchange(port, `POST /status HTTP/1.1\r\n${head}Content-Length: 2\r\n\r\nhi`)
      assert.match(posted, /^HTTP\/1.1 405 /)
      assert.match(posted, /\r\nallow: GET, HEAD\r\n/i)
      assert.deepStrictEqual(JSON.parse(bodyOf(posted)), {
        _tag: "MethodNotAllowed",
        path: "/status",
        method: "POST",
        allowed: ["GET", "HEAD"]
      })
      const withBody = yield* exchange(port, `GET /status HTTP/1.1\r\n${head}Content-Length: 2\r\n\r\nhi`)
      assert.match(withBody, /^HTTP\/1.1 413 /)
      assert.strictEqual((yield* decodeError(bodyOf(withBody)))._tag, "BodyNotAllowed")
      const plain = yield* exchange(port, `GET /ws HTTP/1.1\r\n${head}\r\n`)
      assert.match(plain, /^HTTP\/1.1 426 /)
      assert.strictEqual((yield* decodeError(bodyOf(plain)))._tag, "UpgradeRequired")
      const heading = yield* exchange(port, `HEAD /status HTTP/1.1\r\n${head}\r\n`)
      assert.match(heading, /^HTTP\/1.1 200 /)
      assert.strictEqual(bodyOf(heading), "")
    })
  )

  it.scoped("survives requests that are not HTTP, too large or badly encoded", () =>
    Effect.gen(function* () {
      const { port, url } = yield* start(yield* makeFakeDasmon())
      assert.match(yield* exchange(port, "\x16\x03\x01 hello\r\n\r\n"), /^HTTP\/1.1 400 /)
      const huge = `GET / HTTP/1.1\r\nHost: x\r\nX-Big: ${"a".repeat(20_000)}\r\n\r\n`
      assert.match(yield* exchange(port, huge), /^HTTP\/1.1 431 /)
      const odd = yield* exchange(port, `GET /%zz%00/../.. HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`)
      assert.match(odd, /^HTTP\/1.1 404 /)
      assert.strictEqual((yield* get(`${url}/status`)).status, 200)
    })
  )

  it.scoped("answers a bug with a typed JSON error, and goes on", () =>
    Effect.gen(function* () {
      const fake = yield* makeFakeDasmon()
      const broken = Layer.map(fake.layer, (context) =>
        Context.add(context, Dasmon, { ...Context.get(context, Dasmon), status: Effect.die(new Error("a bug")) })
      )
      const { url } = yield* start({ ...fake, layer: broken }).pipe(Logger.withMinimumLogLevel(LogLevel.None))
      const { status, text } = yield* get(`${url}/status`)
      assert.strictEqual(status, 500)
      assert.deepStrictEqual(JSON.parse(text), { _tag: "InternalError" })
      assert.strictEqual((yield* get(`${url}/peers`)).status, 200)
    })
  )

  it.scoped("serves pages that need nothing else, under policies that allow nothing else", () =>
    Effect.gen(function* () {
      const { url } = yield* start(yield* makeFakeDasmon())
      for (const path of ["/", "/docs"]) {
        const { headers, text } = yield* get(`${url}${path}`)
        assert.match(headers["content-type"] ?? "", /^text\/html/)
        const policy = headers["content-security-policy"] ?? ""
        assert.match(policy, /default-src 'none'/)
        assert.match(policy, /connect-src 'self'/)
        assert.notMatch(policy, /unsafe|\*|https?:/)
        assert.notMatch(text, /https?:\/\/|src=|stylesheet|@import|url\(|innerHTML|insertAdjacentHTML|document\.write/)
        for (const element of ["script", "style"]) {
          const inline = [...text.matchAll(new RegExp(`<${element}>(.*?)</${element}>`, "gs"))]
          assert.strictEqual(inline.length, 1)
          const hash = createHash("sha256")
            .update(inline[0]?.[1] ?? "")
            .digest("base64")
          assert.include(policy, `${element}-src 'sha256-${hash}'`)
        }
        // Throws what a browser would, if the script cannot be read.
        assert.isOk(new Script(/<script>(.*)<\/script>/s.exec(text)?.[1] ?? "("))
      }
    })
  )

  it.scoped("waits for no client that is gone, however much of its answers was still to be sent", () =>
    Effect.gen(function* () {
      const fake = yield* makeFakeDasmon()
      const address = `/ip4/127.0.0.1/${"x".repeat(4000)}`
      yield* fake.setPeers(Array.from({ length: 2500 }, (_, index) => peerOf(`peer ${index}`, { address })))
      const { port } = yield* start(fake)
      const before = lookAround()
      const deaf = yield* raw(port)
      yield* deaf.send("GET /snapshot HTTP/1.1\r\nHost: localhost\r\n\r\n")
      yield* deaf.more
      deaf.socket.pause()
      const answered = Effect.map(
        Metric.value(httpRequests.of({ route: "/status", status: "2xx" })),
        ({ count }) => count
      )
      const already = yield* answered
      // They wait behind the snapshot, which nobody takes.
      yield* deaf.send("HEAD /status HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(10))
      yield* eventually(Effect.map(answered, (count) => count === already + 10))
      yield* Effect.sync(() => void deaf.socket.resetAndDestroy())
      assert.deepStrictEqual(yield* Effect.promise(() => leftSince(before, scaledMs("3 seconds"))), [])
    })
  )

  it.scoped("says what to do when its address cannot be had", () =>
    Effect.gen(function* () {
      const fake = yield* makeFakeDasmon()
      const { port } = yield* start(fake)
      const taken = yield* Effect.flip(start(fake, { port }))
      assert.strictEqual(
        taken.message,
        `http_addr 127.0.0.1:${port} is already in use: choose another with http_addr, or stop the program that has it`
      )
      const foreign = yield* Effect.flip(start(fake, { host: "192.0.2.1" }))
      assert.match(foreign.message, /^http_addr 192\.0\.2\.1:0 is not an address of this machine/)
    })
  )

  it.scoped("ends every connection soon after its scope closes", () =>
    Effect.gen(function* () {
      const fake = yield* makeFakeDasmon()
      const scope = yield* Scope.make()
      const { port, url } = yield* start(fake).pipe(Scope.extend(scope))
      const idle = yield* raw(port)
      const half = yield* raw(port)
      const silent = yield* raw(port)
      yield* idle.send("GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n")
      yield* idle.more
      yield* half.send("GET /status HTTP/1.1\r\nHo")
      // A client that never answers the closing handshake.
      yield* silent.send(upgradeRequest(port))
      yield* silent.more
      const polite = yield* connect(`${url}/ws`)
      yield* polite.next

      const began = performance.now()
      yield* Scope.close(scope, Exit.void)
      assert.isBelow(performance.now() - began, scaledMs("1 second"))
      yield* Effect.all([idle.ended, half.ended, silent.ended], { concurrency: 3 }).pipe(
        Effect.timeout(scaled("10 seconds"))
      )
      const error = yield* Effect.flip(polite.next)
      assert.propertyVal(error, "code", 1001)
      assert.strictEqual(yield* fake.subscribers, 0)
    })
  )
})
