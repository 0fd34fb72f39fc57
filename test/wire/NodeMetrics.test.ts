import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import { Counter, register } from "prom-client"
import { request } from "../../src/wire/Client.ts"
import { pingRequest } from "../../src/wire/Handshake.ts"
import { makeNode } from "../../src/wire/Node.ts"
import { makeNodeMetrics } from "../../src/wire/NodeMetrics.ts"
import { ping } from "../../src/wire/Protocol.ts"
import { serve } from "../../src/wire/Server.ts"
import { parseExposition } from "../http/metrics/Exposition.ts"
import { eventually } from "../Eventually.ts"

const pings = 'protocol="outbound /eth2/beacon_chain/req/ping/1/ssz_snappy"'

describe("libp2p's metrics", () => {
  it.live("tell connections, dials, streams and traffic, name no peer, and end with their scope", () =>
    Effect.gen(function* () {
      const own = new Counter({ name: "owned_by_a_host_total", help: "Not ours." })
      yield* Effect.addFinalizer(() => Effect.sync(() => register.removeSingleMetric("owned_by_a_host_total")))
      const scope = yield* Scope.make()
      const metrics = yield* Scope.extend(makeNodeMetrics, scope)
      const peers: Array<string> = []
      yield* Effect.gen(function* () {
        const client = yield* makeNode({ agent: "client/1", metrics })
        yield* Effect.forEach(
          [1, 2, 3],
          Effect.fnUntraced(function* (index) {
            const server = yield* makeNode({ agent: `server/${index}` })
            peers.push(server.peerId.toString())
            yield* serve(server, ping, () => Effect.never)
            const connection = yield* Effect.promise(() => client.dial(server.getMultiaddrs()))
            yield* Effect.gen(function* () {
              yield* request(connection, pingRequest(1))
              assert.include(yield* metrics.exposition, pings)
            }).pipe(Effect.scoped)
          })
        )
        yield* eventually(() =>
          client
            .getConnections()
            .every(({ streams }) => streams.every(({ protocol }) => protocol.startsWith("/meshsub/")))
        )
        const text = yield* metrics.exposition
        assert.notInclude(text, pings, "a stream that is closed")
        const families = parseExposition(text)
        const sum = (name: string, value: string) =>
          families
            .get(name)
            ?.samples.filter(({ labels }) => Object.values(labels).includes(value))
            .reduce((sum, { value }) => sum + value, 0) ?? 0
        assert.strictEqual(sum("libp2p_connection_manager_connections", "outbound"), 3)
        assert.isAtLeast(sum("libp2p_connection_manager_dials_total", "outbound"), 3)
        assert.isAbove(sum("libp2p_data_transfer_bytes_total", "global sent"), 1000)
        assert.isAbove(sum("libp2p_data_transfer_bytes_total", "/eth2/beacon_chain/req/ping/1/ssz_snappy sent"), 0)
        for (const [name, { samples }] of families) {
          assert.match(name, /^libp2p_/)
          assert.isBelow(samples.length, 30, name)
        }
        for (const peer of peers) assert.notInclude(text, peer)
      }).pipe(Scope.extend(scope))
      assert.isDefined(register.getSingleMetric("owned_by_a_host_total"), "the registry of the process is nobody's")
      assert.strictEqual(register.getSingleMetric("libp2p_data_transfer_bytes_total"), undefined)
      own.inc()
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(yield* metrics.exposition, "")
    }).pipe(Effect.scoped)
  )

  it.scopedLive("begin anew with the next node of the process", () =>
    Effect.gen(function* () {
      const metrics = yield* makeNodeMetrics
      yield* makeNode({ agent: "client/2", metrics })
      const text = yield* metrics.exposition
      assert.match(text, /^libp2p_connection_manager_connections\{.*="outbound"\} 0$/m)
    })
  )
})
