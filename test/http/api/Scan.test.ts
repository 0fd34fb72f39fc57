import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Redacted, Schema } from "effect"
import type { Dasmon } from "../../../src/Dasmon.ts"
import {
  InvalidScan,
  type ScanRequest,
  type ScanState,
  ScanUnderWay,
  TooManyScans
} from "../../../src/domain/scan/ScanRequest.ts"
import { HttpAddress, layer } from "../../../src/http/server/Server.ts"
import { makeFakeDasmon } from "../FakeDasmon.ts"

const peerId = "16Uiu2HAm6nLcG47AyCQnB5kDaWJNLbVFbTL9AG3uVvwZK1KUeYs6"
const token = "tell-nobody"
const id = "0195c3a0-0000-4000-8000-000000000000"
const state: ScanState = {
  id,
  peerId,
  target: peerId,
  startedAt: 1,
  step: { stage: "waiting", detail: "it begins" },
  report: null
}

const start = (over: Partial<Dasmon["Type"]>, isGuarded = true) =>
  Effect.gen(function* () {
    const fake = yield* makeFakeDasmon(64, over)
    const access = {
      allowedOrigins: [],
      allowedHosts: [],
      ...(isGuarded ? { token: Redacted.make(token) } : {})
    }
    const context = yield* Layer.build(layer({ host: "127.0.0.1", port: 0, access }).pipe(Layer.provide(fake.layer)))
    return Context.get(context, HttpAddress).url
  })

const Tagged = Schema.Struct({ _tag: Schema.optional(Schema.String) })

const ask = (url: string, options: { readonly body?: string; readonly token?: string }) =>
  Effect.gen(function* () {
    const { body, token } = options
    const [status, text] = yield* Effect.promise(async (signal) => {
      const response = await fetch(url, {
        signal,
        method: body === undefined ? "GET" : "POST",
        headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
        ...(body === undefined ? {} : { body })
      })
      return [response.status, await response.text()] as const
    })
    const { _tag = null } = yield* Schema.decode(Schema.parseJson(Tagged))(text)
    return { status, text, tag: _tag }
  })

describe("POST /scan", () => {
  it.scopedLive("begins a scan for whoever brings the token, and GET /scan/:id tells how it stands", () =>
    Effect.gen(function* () {
      const asked: Array<ScanRequest> = []
      const url = yield* start({
        scan: (request) => Effect.sync(() => (asked.push(request), state)),
        scanned: () => Effect.succeed(state)
      })
      const body = JSON.stringify({ target: peerId, slots: 3, columns: "all" })
      const begun = yield* ask(`${url}/scan`, { body, token })
      assert.deepStrictEqual([begun.status, JSON.parse(begun.text)], [202, state])
      assert.deepStrictEqual(asked, [{ target: peerId, slots: 3, columns: "all" }])
      const told = yield* ask(`${url}/scan/${id}`, { token })
      assert.deepStrictEqual([told.status, JSON.parse(told.text)], [200, state])
      const strangers = yield* ask(`${url}/scan`, { body })
      assert.deepStrictEqual([strangers.status, strangers.tag, asked.length], [401, "Unauthorized", 1])
    })
  )

  it.scopedLive("is for nobody where no token is set", () =>
    Effect.gen(function* () {
      const url = yield* start({ scan: () => Effect.die("it was begun") }, false)
      const { status, tag } = yield* ask(`${url}/scan`, { body: JSON.stringify({ target: peerId }), token })
      assert.deepStrictEqual([status, tag], [403, "Forbidden"])
    })
  )

  it.scopedLive("refuses what it does not understand, and says what is wrong", () =>
    Effect.gen(function* () {
      const url = yield* start({ scan: () => Effect.die("it was begun") })
      for (const [body, reason] of [
        ["{", /JSON/],
        ["{}", /target/],
        [JSON.stringify({ target: peerId, slots: 0 }), /slots/],
        [JSON.stringify({ target: peerId, colums: "all" }), /colums/],
        [JSON.stringify({ target: "x".repeat(3000) }), /target/]
      ] as const) {
        const { status, tag, text } = yield* ask(`${url}/scan`, { body, token })
        assert.deepStrictEqual([status, tag], [400, "BadBody"], body)
        assert.match(text, reason)
      }
      const large = yield* ask(`${url}/scan`, { body: "x".repeat(70_000), token })
      assert.strictEqual(large.status, 413)
    })
  )

  it.scopedLive("says why none was begun", () =>
    Effect.gen(function* () {
      const body = JSON.stringify({ target: peerId })
      for (const [error, status] of [
        [new InvalidScan({ reason: "no" }), 400],
        [new ScanUnderWay({ id, peerId }), 409],
        [new TooManyScans({ limit: 2, retryAfterSeconds: 15 }), 429]
      ] as const) {
        const url = yield* start({ scan: () => error })
        const answer = yield* ask(`${url}/scan`, { body, token })
        assert.deepStrictEqual([answer.status, answer.tag], [status, error._tag])
      }
      const url = yield* start({})
      const unknown = yield* ask(`${url}/scan/${id}`, { token })
      assert.deepStrictEqual([unknown.status, unknown.tag], [404, "UnknownScan"])
      assert.deepStrictEqual((yield* ask(`${url}/scan`, { body, token })).status, 501)
    })
  )
})
