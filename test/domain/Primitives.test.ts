import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { RootFromHex } from "../../src/domain/Bytes.ts"
import { epochOf, epochStart, slotStart } from "../../src/domain/network/Chain.ts"
import type { Epoch, PeerId, Root } from "../../src/domain/Primitives.ts"
import { Slot } from "../../src/domain/Primitives.ts"
import { Outcome } from "../../src/domain/probe/Job.ts"
import { makeChain } from "./network/Chains.ts"

const chain = makeChain({})

describe("flavours", () => {
  it("take plain numbers and texts", () => {
    const slot: Slot = 5
    const peerId: PeerId = "16Uiu2HAm"
    const next: Slot = slot + 1
    assert.strictEqual(epochStart(chain, epochOf(chain, next)), 0)
    assert.strictEqual(slotStart(chain, 7), slotStart(chain, slot) + 2 * chain.slotDurationMs)
    assert.strictEqual(`${peerId}`, "16Uiu2HAm")
  })

  // What is not allowed is so for the compiler: each of these lines would be an error that is left over if it were.
  it("are not taken for each other", () => {
    const epoch: Epoch = epochOf(chain, 64)
    // @ts-expect-error
    const slot: Slot = epoch
    // @ts-expect-error
    assert.isNumber(slotStart(chain, epoch))
    const root: Root = "0x00"
    // @ts-expect-error
    const peerId: PeerId = root
    // @ts-expect-error
    const outcome: Outcome = { slot: epoch, column: 1, outcome: "success", blockRoot: root, blobs: 1 }
    // @ts-expect-error
    const slots: ReadonlyArray<Slot> = [1, 2].map((slot) => epochOf(chain, slot))
    assert.isDefined([slot, peerId, outcome, slots])
  })
})

describe("at the border", () => {
  it("a slot is a whole number from 0 on", () => {
    assert.deepStrictEqual(
      [0, 2 ** 53 - 1, -1, 1.5, Infinity, "1"].map((value) => Schema.is(Slot)(value)),
      [true, true, false, false, false, false]
    )
    const decoded: Slot = Schema.decodeUnknownSync(Outcome)({
      slot: 3,
      column: 1,
      outcome: "success",
      blockRoot: "0x00",
      blobs: 1
    }).slot
    assert.strictEqual(decoded, 3)
  })

  it("a root of any case becomes lower case", () => {
    const root: Root = Schema.decodeSync(RootFromHex)(`0x${"Ab".repeat(32)}`)
    assert.strictEqual(root, `0x${"ab".repeat(32)}`)
    assert.throws(() => Schema.decodeSync(RootFromHex)("0x00"), /64 hexadecimal digits/)
  })
})
