import { assert, describe, it } from "@effect/vitest"
import type { ClaimParts } from "../../src/domain/peer/ClaimParts.ts"
import { claimDifferences, sameDifferences } from "../../src/second/CompareClaims.ts"
import { claimOf, statement } from "../probe/FakeWorld.ts"

const said = (over: Partial<ClaimParts> = {}) => claimOf({ ...statement(8), earliestAvailableSlot: 100, ...over })
const fieldsOf = (...[before, second, after]: ReadonlyArray<Partial<ClaimParts>>) =>
  claimDifferences(said(before), said(second), said(after)).map(({ field, side }) => `${field} ${side}`)

describe("what a peer claims to each of two identities", () => {
  it("is the same for an honest peer, whatever of it moves between the questions", () => {
    assert.deepStrictEqual(fieldsOf({}, {}, {}), [])
    assert.deepStrictEqual(fieldsOf({ metadataCount: 8 }, { metadataCount: 16 }, { metadataCount: 16 }), [])
    assert.deepStrictEqual(
      fieldsOf({ earliestAvailableSlot: 640 }, { earliestAvailableSlot: 480 }, { earliestAvailableSlot: 288 }),
      []
    )
    assert.deepStrictEqual(fieldsOf({ sequenceNumber: 1 }, { sequenceNumber: 2 }, { sequenceNumber: 2 }), [])
    assert.deepStrictEqual(fieldsOf({ headSlot: 1000 }, { headSlot: 1003 }, { headSlot: 1001 }), [])
    assert.deepStrictEqual(fieldsOf({ forkDigest: "0x0a" }, { forkDigest: "0x0b" }, { forkDigest: "0x0b" }), [])
    // Status version 1 before its fork, and 2 after it.
    const [none, some] = [{ earliestAvailableSlot: undefined }, { earliestAvailableSlot: 5 }]
    assert.deepStrictEqual(fieldsOf(none, some, some), [])
    assert.deepStrictEqual(fieldsOf(none, none, some), [])
  })

  it("differs where the second is told what the first was told neither before nor after", () => {
    assert.deepStrictEqual(fieldsOf({}, { metadataCount: 4 }, {}), ["custody below"])
    assert.deepStrictEqual(fieldsOf({}, { metadataCount: 9 }, { metadataCount: 4 }), ["custody above"])
    assert.deepStrictEqual(fieldsOf({}, { earliestAvailableSlot: 132 }, {}), [])
    assert.deepStrictEqual(fieldsOf({}, { earliestAvailableSlot: 133 }, {}), ["earliest above"])
    assert.deepStrictEqual(fieldsOf({}, { earliestAvailableSlot: undefined }, {}), ["earliest other"])
    assert.deepStrictEqual(fieldsOf({}, { headSlot: 967 }, {}), ["head below"])
    assert.deepStrictEqual(fieldsOf({}, { forkDigest: "0x0b" }, {}), ["digest other"])
    assert.deepStrictEqual(fieldsOf({}, { finalized: { epoch: 0, root: "0x00" } }, {}), ["finality below"])
    assert.deepStrictEqual(fieldsOf({}, { sequenceNumber: 3 }, {}), ["sequence above"])
  })

  it("is told with both answers", () => {
    const [one] = claimDifferences(said(), said({ metadataCount: 4 }), said())
    assert.strictEqual(one?.detail, "8 custody groups to the first identity, 4 custody groups to the second")
  })

  it("counts again only the same way", () => {
    const low = claimDifferences(said(), said({ metadataCount: 4 }), said())
    const high = claimDifferences(said(), said({ metadataCount: 16 }), said())
    const head = claimDifferences(said(), said({ headSlot: 10 }), said())
    assert.deepStrictEqual(sameDifferences(low, [...low, ...head]), low)
    assert.deepStrictEqual(sameDifferences(low, high), [])
  })
})
