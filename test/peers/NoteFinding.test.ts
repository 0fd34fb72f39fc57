import { assert, it } from "@effect/vitest"
import { Effect, Fiber, Option, Stream, TestClock } from "effect"
import { EventBus } from "../../src/events/EventBus.ts"
import { History } from "../../src/history/store/History.ts"
import { Peers } from "../../src/peers/Peers.ts"
import { peer } from "../probe/FakeWorld.ts"
import { dialled, view, world } from "./Script.ts"

it.effect("what somebody else found out about a peer is shown, told with its claim, and recorded", () =>
  Effect.gen(function* () {
    const peers = yield* Peers
    const bus = yield* EventBus
    const history = yield* History
    yield* TestClock.adjust("5 seconds")
    const finding = { kind: "serves_by_asker", detail: "one thing to one, another to another" } as const
    const told = yield* Effect.fork(
      Stream.runHead(Stream.filter(yield* bus.subscribe, (event) => event._tag === "CustodyUpdate"))
    )
    yield* peers.note(peer.peerId, finding)
    yield* peers.note("nobody", finding)
    const event = Option.getOrThrow(yield* Fiber.join(told))
    const claim = Option.getOrThrow(Option.flatMap(peers.known(peer.peerId), ({ claims }) => claims)).current
    const { sequence, timestamp } = event
    assert.deepStrictEqual(event, {
      _tag: "CustodyUpdate",
      peerId: peer.peerId,
      claim,
      previous: claim,
      findings: [finding],
      sequence,
      timestamp
    })
    const shown = yield* view(peer.peerId)
    assert.deepStrictEqual([shown.findings, shown.verdict], [{ serves_by_asker: 1 }, "compliant"])
    assert.deepStrictEqual((yield* history.peer(peer.peerId)).findings, { serves_by_asker: 1 })
    const { address, connected } = Option.getOrThrow(peers.known(peer.peerId))
    assert.deepStrictEqual([address, connected], [dialled, true])
    assert.isTrue(Option.isNone(peers.known("nobody")))
  }).pipe(Effect.provide(world()))
)
