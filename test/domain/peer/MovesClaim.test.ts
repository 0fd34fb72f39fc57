import { assert, describe, it } from "@effect/vitest"
import { movesClaim } from "../../../src/domain/peer/MovesClaim.ts"

describe("a claim that moves", () => {
  it("is one that was taken back three times, in whatever way; other findings do not matter", () => {
    assert.isFalse(movesClaim({}))
    assert.isFalse(movesClaim({ custody_count_decreased: 1, claim_retracted: 1, duplicate_sidecar: 100 }))
    assert.isTrue(movesClaim({ custody_count_decreased: 2, claim_retracted: 1 }))
    assert.isTrue(movesClaim({ custody_count_decreased: 3 }))
  })
})
