import { assert, describe, it } from "@effect/vitest"
import { goodbyeRefusal, refusalOf } from "../../src/wire/Refusal.ts"

const errorOf = (code: number, message: string): string => {
  const error = refusalOf(code, message)
  return error._tag === "PeerRefused" ? error.reason : error._tag
}

describe("error chunks", () => {
  it("are told apart by code, and code 1 by its text", () => {
    assert.strictEqual(errorOf(3, "columns pruned within boundary"), "ColumnsUnavailable")
    assert.strictEqual(errorOf(139, ""), "rate_limited")
    assert.strictEqual(errorOf(1, "rate limited"), "rate_limited")
    assert.strictEqual(errorOf(1, "Peer has been rate limited"), "rate_limited")
    assert.strictEqual(errorOf(1, "Rate-limit exceeded"), "rate_limited")
    assert.strictEqual(errorOf(1, "Req outside availability period"), "invalid_request")
    assert.strictEqual(errorOf(1, ""), "invalid_request")
    for (const code of [2, 4, 127, 128, 140, 255]) assert.strictEqual(errorOf(code, "rate limited"), "server_error")
  })

  it("keep what the peer said", () => {
    assert.include(refusalOf(3, "Backfilling"), { detail: "code 3: Backfilling" })
    assert.include(refusalOf(1, ""), { detail: "code 1" })
  })
})

describe("goodbyes", () => {
  it("are refusals", () => {
    const reasons = [0, 1, 2, 3, 128, 129, 130, 237, 250, 251, 252, 77].map((code) => goodbyeRefusal(code).reason)
    assert.deepStrictEqual(reasons, [
      "banned",
      "shutdown",
      "wrong_network",
      "server_error",
      "wrong_network",
      "too_many_peers",
      "rate_limited",
      "banned",
      "banned",
      "banned",
      "banned",
      "server_error"
    ])
    assert.strictEqual(goodbyeRefusal(129).detail, "goodbye 129 (too many peers)")
  })

  it("with code 0 are bans, and say of what", () => {
    assert.match(goodbyeRefusal(0, true).detail, /^goodbye 0 right after identify: .*does not speak gossipsub$/)
    assert.match(goodbyeRefusal(0, false).detail, /^goodbye 0: .*score has fallen too low$/)
  })
})
