import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { isStrict, profileNames } from "../../src/devnet/profiles/Profiles.ts"
import { complaintsIn, GuestBook } from "../../scripts/soak/GuestBook.ts"
import { getJson } from "./Program.ts"
import { assertFair, patiently, watchDevnet, whenTrue } from "./Watched.ts"

const strict = profileNames.filter(isStrict)

describe("the built program as the guest of honest peers that throw out whom they cannot use", () => {
  it.scopedLive("is kept by all of them, hears no Goodbye, gets one strike of each at most, and verifies them", () =>
    Effect.gen(function* () {
      const watched = yield* watchDevnet({ peers: ["honest", ...strict].join(","), seed: 23 })
      const book = Effect.flatMap(getJson(watched.beaconApi, "/devnet/accounts"), Schema.decodeUnknown(GuestBook))
      // A whole round of what the one asks that asks much, several looks of the one that looks, and a limit that is met.
      yield* patiently(45_000)
      assert.deepStrictEqual(complaintsIn(yield* book), [])
      const { peers } = yield* whenTrue(
        watched,
        (peers) => peers.filter(({ outcomes, verdict }) => verdict !== "compliant" || outcomes.success === 0),
        "3 minutes"
      )
      assert.strictEqual(peers.length, strict.length + 1)
      const { data } = yield* book
      assert.deepStrictEqual(complaintsIn({ data }), [])
      const told = data.filter(({ profile }) => strict.some((name) => name === profile))
      assert.lengthOf(told, strict.length)
      assertFair(watched, yield* watched.finish, () => true)
    })
  )
})
