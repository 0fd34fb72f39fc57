import { assert, describe, it } from "@effect/vitest"
import type { BeaconNodeCondition } from "../../../../src/domain/network/BeaconNodeState.ts"
import { type Choosable, chooseInUse, orderOf } from "../../../../src/host/beacon-api/nodes/Choose.ts"

const node = (
  condition: BeaconNodeCondition,
  wellLooks = condition === "well" ? 1 : 0,
  role: "main" | "backfill" = "main"
): Choosable => ({ condition, wellLooks, role })

describe("which beacon node is followed", () => {
  it("is the first that is well, none if none is, and never the one for the backfill", () => {
    assert.strictEqual(chooseInUse([node("well"), node("well")], -1), 0)
    assert.strictEqual(chooseInUse([node("unreachable"), node("well")], -1), 1)
    assert.strictEqual(chooseInUse([node("syncing"), node("optimistic")], -1), -1)
    assert.strictEqual(chooseInUse([node("syncing"), node("well", 5, "backfill")], -1), -1)
    assert.strictEqual(chooseInUse([node("syncing"), node("well", 5, "backfill")], 0), -1)
  })

  it("fails over at once, and goes back when a better one was well twice", () => {
    assert.strictEqual(chooseInUse([node("execution_offline"), node("well")], 0), 1)
    assert.strictEqual(chooseInUse([node("behind"), node("well")], 0), 1)
    assert.strictEqual(chooseInUse([node("well", 1), node("well", 9)], 1), 1)
    assert.strictEqual(chooseInUse([node("well", 2), node("well", 9)], 1), 0)
    assert.strictEqual(chooseInUse([node("well", 1), node("other_network")], 1), 0)
    assert.strictEqual(chooseInUse([node("unreachable"), node("well", 3), node("well", 9)], 2), 1)
  })
})

describe("who is asked", () => {
  it("is the one in use, then those that are well, those behind, and the one for the backfill", () => {
    const nodes = [node("well"), node("behind"), node("well", 9), node("well"), node("well", 1, "backfill")]
    assert.deepStrictEqual(orderOf(nodes, 2), [2, 0, 3, 1, 4])
  })

  it("is never one that cannot be trusted, and one that was not reached only where there is no other", () => {
    const untrusted = ["syncing", "optimistic", "execution_offline", "other_network", "other_parameters"] as const
    for (const condition of untrusted) {
      assert.deepStrictEqual(orderOf([node(condition), node("unreachable"), node("unusable")], -1), [1, 2])
      assert.deepStrictEqual(orderOf([node(condition), node("well", 1, "backfill")], -1), [1])
      assert.deepStrictEqual(orderOf([node("well"), node(condition, 0, "backfill")], 0), [0])
    }
    assert.deepStrictEqual(orderOf([node("unreachable"), node("behind")], -1), [1])
  })
})
