import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { fateOf } from "../../scripts/soak/Judge.ts"
import { assertFair, patiently, watchDevnet, whenJudged } from "./Watched.ts"

/** The same peers, and the beacon node in another mood. */
const judged = (api: string, seed: number) =>
  Effect.gen(function* () {
    const watched = yield* watchDevnet({ peers: "honest:3,orphan-server,withhold,corrupt-cell", api, seed })
    yield* watched.tell("reorg?depth=3")
    yield* watched.tell("restart")
    yield* patiently(6000)
    yield* watched.tell("reorg?depth=2")
    const { status } = yield* whenJudged(watched)
    assert.strictEqual(status.defects, 0)
    const events = yield* watched.finish
    assertFair(watched, events, (profile) => fateOf(profile) === "blameless")
    return { status, output: watched.program.output() }
  })

describe("over a beacon node with habits of its own, the truth is the same:", () => {
  it.scopedLive("one whose event stream is slow to greet (like-lodestar)", () => judged("like-lodestar", 31))

  it.scopedLive("one that gives orphans for blocks after a restart, and 500 for empty slots (like-prysm)", () =>
    judged("like-prysm", 32)
  )

  it.scopedLive("one that knows nothing from before its checkpoint", () => judged("checkpoint", 33))

  it.scopedLive("one that fails, is silent, and sends events that mean nothing (errors)", () => judged("errors", 34))
})
