import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { retrieve } from "../../src/custody/Retrieve.ts"
import type { Peers } from "../../src/peers/Peers.ts"
import { peerOf, probeOf } from "../http/FakeDasmon.ts"

const root = `0x${"aa".repeat(32)}`
const other = `0x${"bb".repeat(32)}`

/** Two peers with all columns; the first is asked when another block was canonical. */
const peers = (): Pick<Peers["Type"], "views" | "ask"> => {
  const custody = { groupCount: 128, columns: [1, 2, 3], earliestAvailableSlot: 0, source: "metadata" as const }
  return {
    views: () => [
      peerOf("first", { custody, headSlot: 100, score: 0.9 }),
      peerOf("second", { custody, headSlot: 100, score: 0.1 })
    ],
    ask: (peerId, { columns }) =>
      Effect.succeed({
        probe: probeOf(peerId),
        proven: columns.map((column) => ({
          blockRoot: peerId === "first" ? other : root,
          column,
          fork: "fulu" as const,
          ssz: Uint8Array.of(peerId === "first" ? 1 : 2)
        })),
        absent: []
      })
  }
}

describe("columns that are asked for of a block", () => {
  it.effect("are not those of another block of its slot: somebody else is asked for them", () =>
    Effect.gen(function* () {
      const found = yield* retrieve(peers(), { root, slot: 100, columns: [1, 3] })
      assert.deepStrictEqual(
        found.map(({ blockRoot, column, ssz }) => [blockRoot, column, [...ssz]]),
        [1, 3].map((column) => [root, column, [2]])
      )
    })
  )
})
