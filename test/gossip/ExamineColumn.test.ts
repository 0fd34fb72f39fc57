import { assert, describe, it } from "@effect/vitest"
import { Either, Option } from "effect"
import { verdictOf } from "../../src/domain/gossip/GossipRule.ts"
import { slotStart } from "../../src/domain/network/Chain.ts"
import type { ColumnTopic } from "../../src/domain/network/ColumnTopic.ts"
import { digestTable } from "../../src/domain/network/ForkDigest.ts"
import { examineColumn } from "../../src/gossip/ExamineColumn.ts"
import { blockFrom, columnOf, parameters, topicOf } from "./Columns.ts"

const block = blockFrom(130)
const own = topicOf(block.slot, 7)
const now = slotStart(parameters, block.slot) + 400
const examine = (data: Uint8Array, topic: ColumnTopic = own, at = now, finalizedEpoch = 2) =>
  examineColumn(
    { chain: parameters, digests: digestTable(parameters), now: at, finalizedEpoch, isSeen: () => false },
    topic,
    data
  )

const verdict = (...parameters: Parameters<typeof examine>) => {
  const result = examine(...parameters)
  if (Either.isRight(result)) return result.right.earlyMs > 0 ? "ignore" : "is right"
  return verdictOf(result.left)
}

describe("a column by gossip, without its block", () => {
  it("is what it says that it is", () => {
    const { blockRoot, fork, header, index, slot } = Either.getOrThrow(examine(columnOf(block, 7)))
    assert.deepStrictEqual([index, slot, blockRoot, fork], [7, block.slot, block.root, "fulu"])
    const { proposerIndex } = Option.getOrThrow(header)
    assert.strictEqual(proposerIndex, block.header.message.proposerIndex)
  })

  it("is rejected where it can never be right", () => {
    assert.strictEqual(verdict(columnOf(block, 8)), "reject", "of another column than the topic's")
    assert.strictEqual(verdict(columnOf(block, 7).subarray(0, 300)), "reject", "cut short")
    assert.strictEqual(verdict(new Uint8Array(0)), "reject", "empty")
    assert.strictEqual(
      verdict(columnOf(block, 7, (sidecar) => ({ ...sidecar, index: 128 + 7 }))),
      "reject",
      "no such column"
    )
    assert.strictEqual(
      verdict(columnOf(block, 7, (sidecar) => ({ ...sidecar, kzgProofs: [] }))),
      "reject",
      "without proofs"
    )
    const none = (sidecar: Parameters<NonNullable<Parameters<typeof columnOf>[2]>>[0]) => ({
      ...sidecar,
      column: [],
      kzgProofs: [],
      kzgCommitments: []
    })
    assert.strictEqual(verdict(columnOf(block, 7, none)), "reject", "without cells")
    const many = <A>(items: ReadonlyArray<A>): Array<A> =>
      Array.from({ length: 13 }, () => items[0]).filter((item) => item !== undefined)
    assert.strictEqual(
      verdict(
        columnOf(block, 7, (sidecar) => ({
          ...sidecar,
          column: many(sidecar.column),
          kzgProofs: many(sidecar.kzgProofs),
          kzgCommitments: many(sidecar.kzgCommitments)
        }))
      ),
      "reject",
      "above the blob limit"
    )
  })

  it("is ignored where its time may be at fault", () => {
    const start = slotStart(parameters, block.slot)
    assert.strictEqual(verdict(columnOf(block, 7), own, start - 501), "ignore", "of a slot to come")
    assert.strictEqual(verdict(columnOf(block, 7), own, start - 500), "is right", "as early as clocks are apart")
    assert.strictEqual(verdict(columnOf(block, 7), own, now, 5), "ignore", "of a slot that is final")
    const before = blockFrom(64)
    assert.strictEqual(verdict(columnOf(before, 7), own), "ignore", "under the digest of another step")
    assert.strictEqual(
      verdict(columnOf(block, 7), { forkDigest: "0x01020304", column: 7 }),
      "ignore",
      "of another network"
    )
    assert.strictEqual(verdict(columnOf(block, 7), topicOf(0, 7)), "ignore", "of a fork without columns")
  })
})
