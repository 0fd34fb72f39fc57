import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Layer, Option, TestClock } from "effect"
import { PeerDisconnected } from "../../src/domain/probe/Outcome.ts"
import { History } from "../../src/history/store/History.ts"
import * as MemoryHistory from "../../src/history/store/MemoryHistory.ts"
import type { Peers } from "../../src/peers/Peers.ts"
import { peer } from "../probe/FakeWorld.ts"
import { confirmed, leavesOut } from "./LeavesOut.ts"
import { dialled, Fakes, type Script, view, world } from "./Script.ts"

/** What an earlier run of the program left behind. */
const history = Layer.tap(MemoryHistory.layer, (context) =>
  Effect.provide(
    Effect.flatMap(History, ({ recordPeer }) =>
      recordPeer(peer.peerId, { agent: Option.some("Teku/1"), address: Option.some("/ip4/192.0.2.7/tcp/9"), at: 1 })
    ),
    context
  )
)

describe("a peer that is away after a restart of the program", () => {
  it.scoped("keeps its agent, and where it was reached", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("1 second")
      const { address, agent, connected } = yield* view(peer.peerId)
      assert.isFalse(connected)
      assert.deepStrictEqual([agent, address], ["Teku/1", "/ip4/192.0.2.7/tcp/9"])
    }).pipe(
      Effect.provide(
        world(
          (script) => {
            script.connect = () => Effect.fail(new PeerDisconnected({ stage: "dial", detail: "ECONNREFUSED" }))
          },
          {},
          { history }
        )
      )
    )
  )

  it.scoped("keeps what is suspected of it and what it fails at, and with that its verdict, which heals by time", () =>
    Effect.gen(function* () {
      const shared = Layer.succeedContext(yield* Layer.build(MemoryHistory.layer))
      const minutes = Duration.minutes(1)
      const over = {
        addresses: [dialled],
        testInterval: minutes,
        refreshInterval: minutes,
        verdictWindow: Duration.hours(1)
      }
      const run = <A, E>(prepare: (script: Script) => void, effect: Effect.Effect<A, E, Peers | Fakes>) =>
        effect.pipe(Effect.provide(world(prepare, over, { history: shared })))
      /** Slot 100 is missing, and the question about slot 400 comes to nothing. */
      const first = leavesOut([100, 400], (_, slot) => (slot === 100 ? "missing" : "timeout"))
      const before = yield* run(first, Effect.zipRight(TestClock.adjust("15 minutes"), view(peer.peerId)))
      assert.deepStrictEqual([before.verdict, before.failing, before.suspicions], ["violating", 1, 1])
      const kept = (yield* Effect.flatMap(History, (history) => history.peer(peer.peerId)).pipe(Effect.provide(shared)))
        .standing
      assert.deepStrictEqual(
        kept.suspicions.map(({ slot }) => slot),
        [400]
      )
      assert.isAtLeast(kept.evasion.asked, 1)

      yield* run(
        (script) => {
          script.connect = () => Effect.fail(new PeerDisconnected({ stage: "dial", detail: "ECONNREFUSED" }))
        },
        Effect.gen(function* () {
          yield* TestClock.adjust("1 second")
          const after = yield* view(peer.peerId)
          assert.isFalse(after.connected)
          assert.deepStrictEqual([after.verdict, after.failing, after.suspicions], ["violating", 1, 1])
          assert.deepStrictEqual(after.outcomes, before.outcomes)
          yield* TestClock.adjust("40 minutes")
          assert.strictEqual((yield* view(peer.peerId)).verdict, "violating")
          yield* TestClock.adjust("20 minutes")
          const healed = yield* view(peer.peerId)
          assert.deepStrictEqual([healed.failing, healed.suspicions], [0, 1])
          assert.notStrictEqual(healed.verdict, "violating")
        })
      )
    })
  )

  it.scoped("is asked for what was suspected before, once it is back", () =>
    Effect.gen(function* () {
      const shared = Layer.succeedContext(yield* Layer.build(MemoryHistory.layer))
      const run = <A, E>(prepare: (script: Script) => void, effect: Effect.Effect<A, E, Fakes>) =>
        effect.pipe(Effect.provide(world(prepare, {}, { history: shared })))
      yield* run(leavesOut([100]), TestClock.adjust("1 minute"))
      yield* TestClock.setTime(610_000)
      yield* run(
        () => {},
        Effect.gen(function* () {
          const { script } = yield* Fakes
          yield* TestClock.adjust("1 minute")
          assert.strictEqual(confirmed(script)[0]?.[0], 100)
        })
      )
    })
  )
})
