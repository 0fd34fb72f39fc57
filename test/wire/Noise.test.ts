import { Socket } from "node:net"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { vi } from "vitest"
import { request } from "../../src/wire/Client.ts"
import { pingRequest } from "../../src/wire/Handshake.ts"
import { makeNode } from "../../src/wire/Node.ts"
import { ping } from "../../src/wire/Protocol.ts"
import { serve } from "../../src/wire/Server.ts"

describe("noise", () => {
  it.scopedLive("writes no length to the socket without the message that it is of", () =>
    Effect.gen(function* () {
      const writes = yield* Effect.acquireRelease(
        Effect.sync(() => vi.spyOn(Socket.prototype, "write")),
        (spy) => Effect.sync(() => spy.mockRestore())
      )
      const server = yield* makeNode({ agent: "server/1" })
      const client = yield* makeNode({ agent: "client/1", listen: [] })
      yield* serve(server, ping, (_ssz, _peer, reply) => reply.chunk(new Uint8Array(8)))
      const connection = yield* Effect.promise(() => client.dial(server.getMultiaddrs()))
      yield* Effect.scoped(request(connection, pingRequest(1)))
      const lengths = writes.mock.calls.map(([data]) => data.length)
      assert.isAbove(lengths.length, 6)
      assert.notInclude(lengths, 2)
    })
  )
})
