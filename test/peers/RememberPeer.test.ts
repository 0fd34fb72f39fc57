import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Option, TestClock } from "effect"
import { PeerDisconnected } from "../../src/domain/probe/Outcome.ts"
import { History } from "../../src/history/store/History.ts"
import * as MemoryHistory from "../../src/history/store/MemoryHistory.ts"
import { peer } from "../probe/FakeWorld.ts"
import { view, world } from "./Script.ts"

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
})
