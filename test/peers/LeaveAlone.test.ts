import { assert, describe, it } from "@effect/vitest"
import { Option } from "effect"
import type { PeerRefused } from "../../src/domain/probe/Outcome.ts"
import { leftAlone, respectedGoodbye, welcome } from "../../src/peers/LeaveAlone.ts"

const minute = 60_000
const hour = 60 * minute

/** How long each visit is waited for, in minutes, when every one ends so. */
const waits = (reason: PeerRefused["reason"], visits: number): ReadonlyArray<number> => {
  let now = 1_000_000
  let alone = welcome
  return Array.from({ length: visits }, () => {
    alone = leftAlone(alone, reason, now)
    const wait = alone.until - now
    now = alone.until
    return wait / minute
  })
}

describe("LeaveAlone", () => {
  it("waits for longer after each visit that ends the same way, up to a bound", () => {
    assert.deepStrictEqual(waits("banned", 6), [60, 120, 240, 480, 720, 720])
    assert.deepStrictEqual(waits("too_many_peers", 5), [10, 20, 40, 60, 60])
    assert.deepStrictEqual(waits("wrong_network", 7), [1, 2, 4, 8, 16, 30, 30])
  })

  it("is not for refusals that pass", () => {
    for (const reason of [
      "rate_limited",
      "invalid_request",
      "server_error",
      "unsupported_protocol",
      "shutdown"
    ] as const) {
      assert.strictEqual(leftAlone(welcome, reason, 5), welcome)
    }
  })

  it("counts once what is said several times, or again by a peer that was not to be visited yet", () => {
    const first = leftAlone(welcome, "banned", 0)
    assert.deepStrictEqual(leftAlone(first, "banned", 0), first)
    const again = leftAlone(first, "banned", 10 * minute)
    assert.deepStrictEqual([again.times, again.until], [1, 70 * minute])
    assert.strictEqual(leftAlone(again, "too_many_peers", 11 * minute).until, again.until)
  })

  it("forgets after half a day without one", () => {
    let alone = welcome
    for (let times = 0; times < 5; times++) alone = leftAlone(alone, "banned", alone.until)
    const later = leftAlone(alone, "banned", alone.until + 12 * hour)
    assert.strictEqual(later.until - alone.until - 12 * hour, hour)
  })

  it("knows the Goodbyes that are respected", () => {
    const reasonOf = (code: number) => Option.getOrUndefined(respectedGoodbye(code, false))?.reason
    assert.deepStrictEqual([0, 237, 250, 251, 252].map(reasonOf), Array(5).fill("banned"))
    assert.deepStrictEqual([129, 2, 128].map(reasonOf), ["too_many_peers", "wrong_network", "wrong_network"])
    assert.deepStrictEqual([1, 3, 130, 77].map(reasonOf), Array(4).fill(undefined))
  })
})
