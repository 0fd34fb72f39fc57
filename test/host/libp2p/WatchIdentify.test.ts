import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect } from "effect"
import { watchIdentify } from "../../../src/host/libp2p/WatchIdentify.ts"
import { makeNode } from "../../../src/wire/Node.ts"
import { eventually } from "../../Eventually.ts"
import { partsOf, stranger } from "./Nodes.ts"

describe("what peers say that they offer", () => {
  it.scopedLive("is kept while they are connected", () =>
    Effect.gen(function* () {
      const own = yield* makeNode({ agent: "host/1" })
      const other = yield* stranger
      const { protocolsOf } = yield* watchIdentify(own)
      yield* Effect.promise(() => other.dial(own.getMultiaddrs()))
      yield* eventually(() => protocolsOf(other.peerId.toString()).length > 0)
      yield* Effect.promise(() => other.hangUp(own.peerId))
      yield* eventually(() => protocolsOf(other.peerId.toString()).length === 0)
    })
  )

  it.scopedLive("is not kept of one that has left by the time it is noted", () =>
    Effect.gen(function* () {
      const own = yield* makeNode({ agent: "host/1" })
      const other = yield* stranger
      const { protocolsOf } = yield* watchIdentify({ ...partsOf(own), getConnections: () => [] })
      const identified = yield* Deferred.make<void>()
      own.addEventListener("peer:identify", () => Deferred.unsafeDone(identified, Effect.void))
      yield* Effect.promise(() => other.dial(own.getMultiaddrs()))
      yield* Deferred.await(identified)
      assert.deepStrictEqual(protocolsOf(other.peerId.toString()), [])
    })
  )
})
