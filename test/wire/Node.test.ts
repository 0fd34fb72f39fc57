import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import { nodeIdOfPeerId, peerIdOfPublicKey } from "../../src/domain/peer/NodeId.ts"
import { request } from "../../src/wire/Client.ts"
import { pingRequest } from "../../src/wire/Handshake.ts"
import { makeNode } from "../../src/wire/Node.ts"
import { ping } from "../../src/wire/Protocol.ts"
import { serve } from "../../src/wire/Server.ts"
import { eventually } from "../Eventually.ts"
import { scaledMs } from "../TimeLimits.ts"

/** Sockets and servers of this process that are open. */
const sockets = (): number => process.getActiveResourcesInfo().filter((name) => /TCP/.test(name)).length

describe("node", () => {
  it.scopedLive("has the identity of its key and tells its agent", () =>
    Effect.gen(function* () {
      const privateKey = new Uint8Array(32).fill(7)
      const server = yield* makeNode({ agent: "Lighthouse/v8.0.0", privateKey })
      const client = yield* makeNode({ agent: "dasmon/test", listen: [] })
      const publicKey = server.peerId.publicKey?.raw ?? assert.fail("no public key")
      assert.strictEqual(server.peerId.toString(), peerIdOfPublicKey(publicKey))
      assert.strictEqual(nodeIdOfPeerId(server.peerId.toString())._tag, "Right")
      const agents = new Map<string, string | undefined>()
      client.addEventListener("peer:identify", ({ detail }) =>
        agents.set(detail.peerId.toString(), detail.agentVersion)
      )
      server.addEventListener("peer:identify", ({ detail }) =>
        agents.set(detail.peerId.toString(), detail.agentVersion)
      )
      yield* Effect.promise(() => client.dial(server.getMultiaddrs()))
      yield* eventually(() => agents.size === 2)
      assert.strictEqual(agents.get(server.peerId.toString()), "Lighthouse/v8.0.0")
      assert.strictEqual(agents.get(client.peerId.toString()), "dasmon/test")
      assert.match(server.getMultiaddrs()[0]?.toString() ?? "", /^\/ip4\/127\.0\.0\.1\/tcp\/\d+\/p2p\/16Uiu2/)
    })
  )

  it.scopedLive("takes a dozen peers of one address at once", () =>
    Effect.gen(function* () {
      const target = yield* makeNode({ agent: "target/1" })
      yield* Effect.forEach(
        Array.from({ length: 12 }, (_, index) => `peer/${index}`),
        (agent) =>
          Effect.flatMap(makeNode({ agent, listen: [] }), (peer) =>
            Effect.promise(() => peer.dial(target.getMultiaddrs()))
          ),
        { concurrency: "unbounded", discard: true }
      )
      yield* eventually(() => target.getPeers().length === 12)
    })
  )

  it.live("stops in time with streams open, and leaves no socket", () =>
    Effect.gen(function* () {
      yield* eventually(() => sockets() === 0)
      const scope = yield* Scope.make()
      yield* Effect.gen(function* () {
        const server = yield* makeNode({ agent: "server/1" })
        const client = yield* makeNode({ agent: "client/1" })
        yield* serve(server, ping, (_ssz, _peer, reply) => Effect.zipRight(reply.raw(new Uint8Array(1)), Effect.never))
        const connection = yield* Effect.promise(() => client.dial(server.getMultiaddrs()))
        yield* request(connection, pingRequest(1))
        assert.isAbove(sockets(), 0)
      }).pipe(Scope.extend(scope))
      const started = performance.now()
      yield* Scope.close(scope, Exit.void)
      assert.isBelow(performance.now() - started, scaledMs("5 seconds"))
      yield* eventually(() => sockets() === 0)
    })
  )

  it.scopedLive("fails with a reason at a key or an address that is none", () =>
    Effect.gen(function* () {
      const key = yield* Effect.flip(makeNode({ agent: "a", privateKey: new Uint8Array(31) }))
      assert.strictEqual(key._tag, "NodeError")
      const zero = yield* Effect.flip(makeNode({ agent: "a", privateKey: new Uint8Array(32) }))
      assert.strictEqual(zero._tag, "NodeError")
      const address = yield* Effect.flip(makeNode({ agent: "a", listen: ["/ip4/127.0.0.1/tcp/nonsense"] }))
      assert.strictEqual(address._tag, "NodeError")
      const taken = yield* makeNode({ agent: "a" })
      const listen = taken.getMultiaddrs().map((address) => address.decapsulate("/p2p").toString())
      const twice = yield* Effect.flip(makeNode({ agent: "a", listen }))
      assert.include(twice.message, "EADDRINUSE")
    })
  )
})
