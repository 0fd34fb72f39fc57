import { NodeHttpClient } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Option } from "effect"
import { devnetParameters } from "../../../../src/devnet/DevnetParameters.ts"
import { makeBeaconHttp } from "../../../../src/host/beacon-api/BeaconHttp.ts"
import { makeBeaconNode } from "../../../../src/host/beacon-api/BeaconNode.ts"
import type { Look } from "../../../../src/host/beacon-api/nodes/LookAt.ts"
import { makeMember, withBehind } from "../../../../src/host/beacon-api/nodes/Member.ts"

const wellAt = (slot: number): Look => ({
  condition: "well",
  reason: Option.none(),
  headSlot: Option.some(slot),
  finalized: Option.none()
})
const away: Look = {
  condition: "unreachable",
  reason: Option.some("it is away"),
  headSlot: Option.none(),
  finalized: Option.none()
}

/** Two nodes; `look` takes what was found of one and tells condition, since when, and good looks of both. */
const pair = Effect.gen(function* () {
  const http = yield* makeBeaconHttp({ url: "http://127.0.0.1:1", timeout: Duration.seconds(1), concurrency: 1 })
  const node = yield* makeBeaconNode(http, devnetParameters(1, 1000, 1), false)
  const members = [makeMember(node, "main", 0, 0), makeMember(node, "main", 1, 0)]
  return (place: number, found: Look, now: number) => {
    members[place]?.take(found, now)
    withBehind(members, now)
    return members.map(({ state }) => `${state().condition} since ${state().since}, ${state().wellLooks}`)
  }
}).pipe(Effect.provide(NodeHttpClient.layerUndici))

describe("a beacon node that is behind another", () => {
  it.effect("stays behind, since it fell behind, until it has caught up", () =>
    Effect.gen(function* () {
      const look = yield* pair
      look(0, wellAt(100), 1)
      look(1, wellAt(117), 2)
      assert.deepStrictEqual(look(0, wellAt(100), 3), ["behind since 2, 0", "well since 2, 1"])
      assert.deepStrictEqual(look(0, wellAt(101), 4), ["behind since 2, 0", "well since 2, 1"])
      assert.deepStrictEqual(look(0, wellAt(108), 5), ["behind since 2, 0", "well since 2, 1"])
      assert.deepStrictEqual(look(0, wellAt(109), 6), ["well since 6, 1", "well since 2, 1"])
      assert.deepStrictEqual(look(0, wellAt(117), 7), ["well since 6, 2", "well since 2, 1"])
    })
  )

  it.effect("has not caught up because the other one is away", () =>
    Effect.gen(function* () {
      const look = yield* pair
      look(1, wellAt(117), 1)
      look(0, wellAt(100), 2)
      assert.deepStrictEqual(look(1, away, 3), ["behind since 2, 0", "unreachable since 3, 0"])
      assert.deepStrictEqual(look(0, wellAt(100), 4), ["behind since 2, 0", "unreachable since 3, 0"])
      assert.deepStrictEqual(look(0, wellAt(116), 5), ["well since 5, 1", "unreachable since 3, 0"])
    })
  )

  it.effect("is not well again for a moment because it was away itself", () =>
    Effect.gen(function* () {
      const look = yield* pair
      look(1, wellAt(117), 1)
      look(0, wellAt(100), 2)
      look(0, away, 3)
      assert.deepStrictEqual(look(0, wellAt(100), 4), ["behind since 4, 0", "well since 1, 1"])
    })
  )
})
