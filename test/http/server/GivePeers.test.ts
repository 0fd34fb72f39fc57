import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Redacted } from "effect"
import { makeGivenPeers } from "../../../src/discovery/sources/GivenPeers.ts"
import { HttpAddress, layer } from "../../../src/http/server/Server.ts"
import { raw } from "../Client.ts"
import { makeFakeDasmon } from "../FakeDasmon.ts"

const good = "/ip4/127.0.0.1/tcp/3/p2p/16Uiu2HAkuVouJepyGcRNBAPiiLLffVpEhQQYN18vsrEXJ7GWg8cy"
const bearer = { authorization: "Bearer correct-horse" }

/** A server with or without a token; `post` gives status and body of `POST /peers`. */
const served = (token: string | undefined) =>
  Effect.gen(function* () {
    const { give } = yield* makeGivenPeers
    const fake = yield* makeFakeDasmon(4096, { givePeers: give })
    const access = {
      token: token === undefined ? undefined : Redacted.make(token),
      allowedOrigins: [],
      allowedHosts: []
    }
    const server = layer({ host: "127.0.0.1", port: 0, access })
    const { port } = Context.get(yield* Layer.build(server.pipe(Layer.provide(fake.layer))), HttpAddress)
    return (body: string, headers: Readonly<Record<string, string>> = {}) =>
      Effect.gen(function* () {
        const connection = yield* raw(port)
        const all = {
          host: `127.0.0.1:${port}`,
          connection: "close",
          "content-type": "application/json",
          "content-length": String(Buffer.byteLength(body)),
          ...headers
        }
        const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`)
        yield* connection.send(`POST /peers HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n${body}`)
        yield* connection.ended
        const [head = "", text = ""] = (yield* connection.received).toString().split("\r\n\r\n")
        return { status: Number(head.split(" ")[1]), body: JSON.parse(text) }
      }).pipe(Effect.scoped)
  })

describe("POST /peers", () => {
  it.scoped("is for those with the token, and for nobody where there is none", () =>
    Effect.gen(function* () {
      const body = JSON.stringify({ peers: [good] })
      const open = yield* served(undefined)
      const refused = yield* open(body)
      assert.strictEqual(refused.status, 403)
      assert.match(refused.body.reason, /set http\.token/)
      const guarded = yield* served("correct-horse")
      assert.strictEqual((yield* guarded(body)).status, 401)
      assert.strictEqual((yield* guarded(body, { authorization: "Bearer wrong-horse" })).status, 401)
      const foreign = { ...bearer, origin: "https://evil.example" }
      assert.strictEqual((yield* guarded(body, foreign)).status, 403)
      assert.strictEqual((yield* guarded(body, bearer)).status, 200)
    })
  )

  it.scoped("answers for each peer", () =>
    Effect.gen(function* () {
      const post = yield* served("correct-horse")
      const { body, status } = yield* post(JSON.stringify({ peers: [good, "hello"] }), bearer)
      assert.strictEqual(status, 200)
      assert.deepStrictEqual(body.peers[0], {
        peer: good.slice(0, 100),
        accepted: true,
        peerId: "16Uiu2HAkuVouJepyGcRNBAPiiLLffVpEhQQYN18vsrEXJ7GWg8cy",
        reason: null
      })
      assert.deepInclude(body.peers[1], { peer: "hello", accepted: false, peerId: null })
      assert.match(body.peers[1].reason, /neither an ENR nor a multiaddr/)
    })
  )

  it.scoped("says what is wrong with a body", () =>
    Effect.gen(function* () {
      const post = yield* served("correct-horse")
      for (const body of [
        "",
        "{",
        "[]",
        "{}",
        '{"peers":"x"}',
        '{"peers":[]}',
        '{"peers":[7]}',
        '{"peers":["x"],"more":1}',
        JSON.stringify({ peers: Array.from({ length: 201 }, () => "x") }),
        JSON.stringify({ peers: ["x".repeat(2_049)] })
      ]) {
        const answer = yield* post(body, bearer)
        assert.deepStrictEqual([answer.status, answer.body._tag], [400, "BadBody"], body.slice(0, 40))
        assert.isNotEmpty(answer.body.reason)
      }
      const large = yield* post(JSON.stringify({ peers: ["x".repeat(70_000)] }), bearer)
      assert.strictEqual(large.status, 413)
    })
  )
})
