import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Redacted } from "effect"
import type { Access } from "../../../src/http/server/Security.ts"
import { HttpAddress, layer } from "../../../src/http/server/Server.ts"
import { raw } from "../Client.ts"
import { makeFakeDasmon } from "../FakeDasmon.ts"

/** Sends lines as they are to a server with this access; gives the whole answer. */
const asked = (access: Partial<Access>) =>
  Effect.gen(function* () {
    const fake = yield* makeFakeDasmon()
    const server = layer({ host: "127.0.0.1", port: 0, access: { allowedOrigins: [], allowedHosts: [], ...access } })
    const { port } = Context.get(yield* Layer.build(server.pipe(Layer.provide(fake.layer))), HttpAddress)
    const send = (first: string, headers: Readonly<Record<string, string>> = {}, body = "") =>
      Effect.gen(function* () {
        const connection = yield* raw(port)
        const all = { host: `127.0.0.1:${port}`, connection: "close", ...headers }
        const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`)
        yield* connection.send(`${first} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n${body}`)
        yield* connection.ended
        const text = (yield* connection.received).toString()
        const [head = "", ...rest] = text.split("\r\n\r\n")
        return {
          status: Number(head.split(" ")[1]),
          header: (name: string) => new RegExp(`^${name}: (.*)$`, "im").exec(head)?.[1],
          body: rest.join("\r\n\r\n")
        }
      }).pipe(Effect.scoped)
    return { port, send }
  })

const upgrade = {
  connection: "Upgrade",
  upgrade: "websocket",
  "sec-websocket-version": "13",
  "sec-websocket-key": "AAAAAAAAAAAAAAAAAAAAAA=="
}

describe("access to the HTTP API", () => {
  it.scoped("asks for the token everywhere but where it tells nothing", () =>
    Effect.gen(function* () {
      const { send } = yield* asked({ token: Redacted.make("correct-horse") })
      for (const path of ["/", "/status", "/peers", "/openapi.json", "/ws", "/nothing"]) {
        const answer = yield* send(`GET ${path}`)
        assert.strictEqual(answer.status, 401, path)
        assert.strictEqual(answer.header("www-authenticate"), 'Bearer realm="dasmon"')
        assert.strictEqual(JSON.parse(answer.body)._tag, "Unauthorized")
      }
      assert.strictEqual((yield* send("GET /status", { authorization: "Bearer wrong-horse" })).status, 401)
      assert.strictEqual((yield* send("GET /ws", upgrade)).status, 401)
      assert.strictEqual((yield* send("GET /status", { authorization: "Bearer correct-horse" })).status, 200)
      assert.notStrictEqual((yield* send("GET /healthz")).status, 401)
      assert.notStrictEqual((yield* send("GET /readyz")).status, 401)
      assert.strictEqual((yield* send("GET /status?token=correct-horse")).status, 401)
    })
  )

  it.scoped("lets a browser in by an address that it does not keep", () =>
    Effect.gen(function* () {
      const { send } = yield* asked({ token: Redacted.make("correct-horse") })
      const login = yield* send("GET /?token=correct-horse")
      assert.deepStrictEqual([login.status, login.header("location")], [303, "/"])
      const cookie = login.header("set-cookie") ?? ""
      assert.match(cookie, /HttpOnly/)
      assert.match(cookie, /SameSite=Strict/)
      const kept = { cookie: cookie.split(";")[0] ?? "" }
      assert.strictEqual((yield* send("GET /", kept)).status, 200)
      assert.strictEqual((yield* send("GET /status", kept)).status, 200)
      assert.strictEqual((yield* send("GET /?token=wrong-horse")).status, 401)
    })
  )

  it.scoped("lets pages of other origins read only if they are named, and never write or listen otherwise", () =>
    Effect.gen(function* () {
      const { send } = yield* asked({})
      const foreign = { origin: "https://evil.example" }
      const read = yield* send("GET /status", foreign)
      assert.deepStrictEqual([read.status, read.header("access-control-allow-origin")], [200, undefined])
      for (const [line, headers] of [
        ["POST /peers/x/probe", foreign],
        ["OPTIONS /status", { ...foreign, "access-control-request-method": "GET" }],
        ["GET /ws", { ...upgrade, ...foreign }],
        ["GET /ws", { ...upgrade, origin: "null" }]
      ] as const) {
        const answer = yield* send(line, headers)
        assert.strictEqual(answer.status, 403, line)
        assert.strictEqual(JSON.parse(answer.body)._tag, "Forbidden")
      }

      const named = yield* asked({ allowedOrigins: ["https://evil.example"] })
      const allowed = yield* named.send("GET /status", foreign)
      assert.strictEqual(allowed.header("access-control-allow-origin"), "https://evil.example")
      assert.strictEqual(allowed.header("vary"), "Origin")
      const preflight = yield* named.send("OPTIONS /status", { ...foreign, "access-control-request-method": "GET" })
      assert.strictEqual(preflight.status, 204)
      assert.match(preflight.header("access-control-allow-headers") ?? "", /authorization/)
      const other = yield* named.send("GET /status", { origin: "https://other.example" })
      assert.strictEqual(other.header("access-control-allow-origin"), undefined)
    })
  )

  it.scoped("goes by its address and by the names that it is given, not by any that points to it", () =>
    Effect.gen(function* () {
      const { port, send } = yield* asked({ allowedHosts: ["dasmon.example.org"] })
      for (const host of [`localhost:${port}`, `[::1]:${port}`, "192.0.2.1", "Dasmon.example.org:443"]) {
        assert.strictEqual((yield* send("GET /status", { host })).status, 200, host)
      }
      const rebound = yield* send("GET /status", { host: `rebound.example:${port}` })
      assert.strictEqual(rebound.status, 403)
      assert.match(JSON.parse(rebound.body).reason, /allowed_hosts/)
    })
  )

  it.scoped("takes no large body, and no path leads to a file", () =>
    Effect.gen(function* () {
      const { send } = yield* asked({})
      assert.strictEqual((yield* send("POST /peers/x/probe", { "content-length": "65537" })).status, 413)
      assert.strictEqual(
        (yield* send("POST /peers/x/probe", { "transfer-encoding": "chunked" }, "0\r\n\r\n")).status,
        413
      )
      for (const path of [
        "/../package.json",
        "/..%2f..%2fetc/passwd",
        "/%2e%2e/package.json",
        "//etc/passwd",
        "/src/main.ts"
      ]) {
        const answer = yield* send(`GET ${path}`)
        assert.strictEqual(answer.status, 404, path)
        assert.strictEqual(JSON.parse(answer.body)._tag, "NotFound")
      }
      assert.strictEqual((yield* send("GET /status", { "x-large": "x".repeat(20_000) })).status, 431)
    })
  )
})
