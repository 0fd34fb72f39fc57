import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Redacted, TestClock } from "effect"
import { HttpAddress, layer } from "../../../src/http/server/Server.ts"
import { raw } from "../Client.ts"
import { makeFakeDasmon } from "../FakeDasmon.ts"

/** Lets sockets be read and written, between two steps of the clock. */
const turn = Effect.async<void>((resume) => void setImmediate(() => resume(Effect.void)))
const mostTurns = 300

describe("a body that does not come", () => {
  for (const path of ["/peers", "/scan"]) {
    it.scoped(`POST ${path} costs the connection`, () =>
      Effect.gen(function* () {
        const fake = yield* makeFakeDasmon()
        const access = { token: Redacted.make("correct-horse"), allowedOrigins: [], allowedHosts: [] }
        const server = layer({ host: "127.0.0.1", port: 0, access }).pipe(Layer.provide(fake.layer))
        const { port } = Context.get(yield* Layer.build(server), HttpAddress)
        const connection = yield* raw(port)
        yield* connection.send(
          `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nconnection: close\r\n` +
            "authorization: Bearer correct-horse\r\ncontent-type: application/json\r\ncontent-length: 20\r\n\r\n{"
        )
        const ended = yield* Effect.raceFirst(
          Effect.as(connection.ended, true),
          Effect.as(Effect.repeatN(Effect.zipRight(turn, TestClock.adjust("10 seconds")), mostTurns), false)
        )
        assert.isTrue(ended)
      })
    )
  }
})
