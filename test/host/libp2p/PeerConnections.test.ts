import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Layer, Logger, Option, Queue, Stream } from "effect"
import type { HostEvent } from "../../../src/host/Host.ts"
import { makePeerConnections } from "../../../src/host/libp2p/PeerConnections.ts"
import { Daemons } from "../../../src/runtime/Daemon.ts"
import { makeNode } from "../../../src/wire/Node.ts"
import { eventually } from "../../Eventually.ts"
import { partsOf, stranger } from "./Nodes.ts"
import { scaled } from "../../TimeLimits.ts"

describe("PeerConnections", () => {
  it.scopedLive("after a defect tells what it missed, and is seen to have failed", () =>
    Effect.gen(function* () {
      const own = yield* makeNode({ agent: "host/1" })
      const bugs = { left: 0 }
      const connections = yield* makePeerConnections({
        ...partsOf(own),
        getConnections: (peerId) => {
          if (bugs.left === 0) return own.getConnections(peerId)
          bugs.left--
          throw new Error("a bug")
        }
      })
      const events = yield* Queue.unbounded<HostEvent>()
      const stream = yield* connections.events
      yield* Effect.forkScoped(Stream.runForEach(stream, (event) => events.offer(event)))
      const next = Effect.timeout(events.take, scaled("20 seconds"))

      const node = yield* stranger
      bugs.left = 1
      yield* Effect.promise(() => node.dial(own.getMultiaddrs()))
      const told = yield* next
      assert.strictEqual(told._tag === "Connected" ? told.peer.peerId : told._tag, node.peerId.toString())
      assert.strictEqual(yield* Effect.flatMap(Daemons, ({ failures }) => failures), 1)
      yield* Effect.promise(() => node.hangUp(own.peerId))
      assert.deepStrictEqual(yield* next, {
        _tag: "Disconnected",
        peerId: node.peerId.toString(),
        goodbye: Option.none()
      })
      assert.strictEqual(yield* events.size, 0)
    }).pipe(Effect.provide(Layer.merge(Daemons.layer, Logger.remove(Logger.defaultLogger))))
  )

  it.scopedLive("does not tell again of those who are there already", () =>
    Effect.gen(function* () {
      const own = yield* makeNode({ agent: "host/1" })
      const [first, second] = [yield* stranger, yield* stranger]
      yield* Effect.promise(() => first.dial(own.getMultiaddrs()))
      yield* eventually(() => own.getConnections().length === 1)
      const connections = yield* makePeerConnections(partsOf(own))
      const stream = yield* connections.events
      const met = yield* Deferred.make<ReadonlyArray<string>>()
      yield* Effect.forkScoped(
        Effect.intoDeferred(
          stream.pipe(
            Stream.take(2),
            Stream.map((event) => (event._tag === "Connected" ? `+${event.peer.peerId}` : `-${event.peerId}`)),
            Stream.runCollect,
            Effect.map((all) => [...all])
          ),
          met
        )
      )
      assert.deepStrictEqual(
        connections.connected().map(({ peerId }) => peerId),
        [first.peerId.toString()]
      )
      yield* Effect.promise(() => second.dial(own.getMultiaddrs()))
      yield* eventually(() => Option.isSome(connections.connection(second.peerId.toString())))
      yield* Effect.promise(() => first.hangUp(own.peerId))
      assert.deepStrictEqual(yield* Effect.timeout(Deferred.await(met), scaled("20 seconds")), [
        `+${second.peerId.toString()}`,
        `-${first.peerId.toString()}`
      ])
    })
  )
})
