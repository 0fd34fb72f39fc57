import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Option, PubSub, TestClock } from "effect"
import type { PeerAddress } from "../../src/domain/peer/PeerAddress.ts"
import { ProbeTimeout } from "../../src/domain/probe/Outcome.ts"
import { makeSentAwayPeers } from "../../src/peers/BadScores.ts"
import { Peers, type PeersOptions } from "../../src/peers/Peers.ts"
import { dialled, Fakes, other, type Script, view, world } from "./Script.ts"

const hour = Duration.toMillis("1 hour")
/** One that says that it is compliant, and never answers. */
const stranger = other
const silent = (script: Script) => {
  script.probe = ({ job: { peerId } }) =>
    Effect.succeed(
      peerId === stranger.peerId ? Option.some(new ProbeTimeout({ stage: "firstChunk", afterMs: 5000 })) : Option.none()
    )
}
const below = (over: Partial<PeersOptions> = {}) =>
  world(silent, { addresses: [dialled], disconnectBelow: Option.some(0.45), ...slowly, ...over })
/** Minutes matter here. */
const slowly = { testInterval: Duration.minutes(5), refreshInterval: Duration.minutes(5) }
const goodbyes = (script: Script) => script.goodbyes.filter(([peerId]) => peerId === stranger.peerId)
const track = (address: PeerAddress) => Effect.flatMap(Peers, (peers) => peers.track(address))

describe("a peer whose score is below disconnect_below", () => {
  it.scoped("is sent away with Goodbye 250, and stays away: neither dialled, nor let in", () =>
    Effect.gen(function* () {
      const { hub, script } = yield* Fakes
      const peers = yield* Peers
      yield* track(stranger)
      yield* TestClock.adjust("20 minutes")
      assert.deepStrictEqual(goodbyes(script), [[stranger.peerId, 250]])
      assert.isTrue(Option.isNone(peers.view(stranger.peerId)))
      const connects = script.connects.length
      yield* track(stranger)
      script.up.add(stranger.peerId)
      yield* PubSub.publish(hub, {
        _tag: "Connected",
        peer: { peerId: stranger.peerId, address: "/ip4/10.0.0.1/tcp/1", agent: Option.none() }
      })
      yield* TestClock.adjust("1 minute")
      assert.isTrue(Option.isNone(peers.view(stranger.peerId)))
      assert.strictEqual(script.connects.length, connects)
      assert.deepStrictEqual(goodbyes(script).slice(1), [[stranger.peerId, 250]])
      // The others stay.
      assert.isTrue((yield* view(dialled.peerId)).connected)
    }).pipe(Effect.provide(below()))
  )

  it.scoped("has another chance after an hour, and then stays away for longer", () =>
    Effect.gen(function* () {
      const { script } = yield* Fakes
      const sent: Array<number> = []
      yield* track(stranger)
      for (let minute = 0; minute < 240; minute += 5) {
        yield* TestClock.adjust("5 minutes")
        if (goodbyes(script).length > sent.length) sent.push(minute)
        yield* track(stranger)
      }
      const [first = 0, second = 0, third = 240] = sent
      assert.isAtLeast(sent.length, 2)
      assert.isAtLeast(second - first, 60)
      assert.isAtLeast(third - second, 120)
    }).pipe(Effect.provide(below()))
  )

  it.scoped("stays where it is of the configuration, or a provider, or where nothing is set", () =>
    Effect.gen(function* () {
      const { script } = yield* Fakes
      yield* track(stranger)
      yield* TestClock.adjust("20 minutes")
      assert.deepStrictEqual(goodbyes(script), [])
      const { score } = yield* view(stranger.peerId)
      assert.isBelow(score, 0.45)
    }).pipe((test) =>
      Effect.forEach(
        [{ addresses: [dialled, stranger] }, { providers: [stranger] }, { disconnectBelow: Option.none<number>() }],
        (over) => Effect.provide(test, below(over)),
        { discard: true }
      )
    )
  )

  it("stays away for an hour, doubled each further time, for a day at most; a day later it begins anew", () => {
    const away = makeSentAwayPeers()
    let now = 0
    for (const hours of [1, 2, 4, 8, 16, 24, 24]) {
      away.add("a", now)
      assert.isTrue(away.isAway("a", now + hours * hour - 1))
      now += hours * hour
      assert.isFalse(away.isAway("a", now))
    }
    now += 25 * hour
    away.add("a", now)
    assert.isFalse(away.isAway("a", now + hour))
    assert.isFalse(away.isAway("b", now))
  })
})
