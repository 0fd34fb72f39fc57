import { assert, describe, it } from "@effect/vitest"
import { Clock, Duration, Effect, Option } from "effect"
import { Peers } from "../../src/peers/Peers.ts"
import { eventually } from "../Eventually.ts"
import { peersOf, start, view, watching } from "./OverDevnet.ts"

describe("scores, over real sockets", () => {
  it.scopedLive(
    "send a peer away that never answers, and keep a provider that does not either, and whoever is good",
    () =>
      Effect.gen(function* () {
        const devnet = yield* start(["honest", "silent", "silent"], 8)
        const [honest, silent, provider] = yield* peersOf(devnet)
        if (honest === undefined || silent === undefined || provider === undefined) return assert.fail()
        const options = {
          addresses: [honest.address],
          providers: [provider.address],
          disconnectBelow: Option.some(0.45),
          testInterval: Duration.seconds(2)
        }
        yield* Effect.gen(function* () {
          const peers = yield* Peers
          yield* peers.track(silent.address)
          yield* eventually(
            Effect.map(Clock.currentTimeMillis, (now) => peers.isSentAway(silent.peerId, now)),
            "2 minutes"
          )
          yield* eventually(() => Option.isNone(peers.view(silent.peerId)))
          // It is not taken up again, whoever names it.
          yield* peers.track(silent.address)
          assert.isTrue(Option.isNone(peers.view(silent.peerId)))
          yield* eventually(
            Effect.map(view(provider.peerId), ({ score }) => assert.isBelow(score, 0.45)),
            "2 minutes"
          )
          assert.isFalse(peers.isSentAway(provider.peerId, yield* Clock.currentTimeMillis))
          assert.isTrue((yield* view(provider.peerId)).isProvider)
          const good = yield* view(honest.peerId)
          assert.isTrue(good.connected)
          assert.isAbove(good.score, 0.5)
        }).pipe(Effect.provide(watching(devnet, options)))
      }),
    240_000
  )
})
