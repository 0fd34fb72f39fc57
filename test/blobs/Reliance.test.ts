import { assert, describe, it } from "@effect/vitest"
import { reliance } from "../../src/blobs/Reliance.ts"

describe("who is asked for blobs first", () => {
  it("are providers, then supernodes, then those that score well; a stranger stands in the middle", () => {
    const peers: ReadonlyArray<readonly [string, number]> = [
      ["bad", reliance(8, { isProvider: false, score: 0.1 })],
      ["good", reliance(8, { isProvider: false, score: 0.9 })],
      ["stranger", reliance(8, undefined)],
      ["bad supernode", reliance(128, { isProvider: false, score: 0 })],
      ["good supernode", reliance(128, { isProvider: false, score: 1 })],
      ["provider", reliance(64, { isProvider: true, score: 0 })],
      ["provider of all", reliance(128, { isProvider: true, score: 0.5 })]
    ]
    assert.deepStrictEqual(
      [...peers].sort(([, a], [, b]) => b - a).map(([name]) => name),
      ["provider of all", "provider", "good supernode", "bad supernode", "good", "stranger", "bad"]
    )
  })
})
