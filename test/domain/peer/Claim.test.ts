import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { type ChainParameters, serveRange, slotAt, slotStart } from "../../../src/domain/network/Chain.ts"
import { claimChangeFindings, sameClaim } from "../../../src/domain/peer/Claim.ts"
import { claimFindings, type ClaimParts, makeClaim } from "../../../src/domain/peer/ClaimParts.ts"
import {
  type ClaimHistory,
  extendClaims,
  isAccountable,
  joinMarginSlots,
  owedRange,
  owes,
  startClaims
} from "../../../src/domain/peer/ClaimHistory.ts"
import { custodyColumns } from "../../../src/domain/column/Custody.ts"
import { makeChain } from "../network/Chains.ts"

const parts = (overrides: Partial<ClaimParts>): ClaimParts => ({
  nodeId: new Uint8Array(32).fill(3),
  metadataCount: 8,
  enrCount: 8,
  enrIsCurrent: true,
  earliestAvailableSlot: 100,
  headSlot: 1_000,
  forkDigest: "0x00000000",
  sequenceNumber: 5,
  observedAt: 0,
  ...overrides
})

const kinds = (findings: ReadonlyArray<{ readonly kind: string }>) => findings.map(({ kind }) => kind)

const anyCount = FastCheck.option(FastCheck.oneof(FastCheck.integer({ min: -5, max: 300 }), FastCheck.double()), {
  nil: undefined
})

describe("makeClaim", () => {
  it("takes metadata, then the ENR, then the default, and never a count that cannot be", () => {
    FastCheck.assert(
      FastCheck.property(anyCount, anyCount, (metadataCount, enrCount) => {
        const fits = (count: number | undefined): count is number =>
          count !== undefined && Number.isInteger(count) && count >= 4 && count <= 128
        const claim = makeClaim(parts({ metadataCount, enrCount }))
        const [source, count] = fits(metadataCount)
          ? ["metadata", metadataCount]
          : fits(enrCount)
            ? ["enr", enrCount]
            : ["default", 4]
        assert.deepStrictEqual([claim.source, claim.custodyGroupCount], [source, count])
        assert.deepStrictEqual(claim.columns, custodyColumns(parts({}).nodeId, claim.custodyGroupCount))
      }),
      { seed: 3, numRuns: 200 }
    )
  })

  it("keeps what a peer did not say apart from zero", () => {
    const claim = makeClaim(parts({ earliestAvailableSlot: undefined, sequenceNumber: 0 }))
    assert.isNull(claim.earliestAvailableSlot)
    assert.strictEqual(claim.sequenceNumber, 0)
  })
})

describe("findings", () => {
  it("sees contradictions within one set of statements", () => {
    assert.deepStrictEqual(claimFindings(parts({})), [])
    assert.deepStrictEqual(claimFindings(parts({ enrCount: undefined, earliestAvailableSlot: undefined })), [])
    assert.deepStrictEqual(kinds(claimFindings(parts({ enrCount: 128 }))), ["claim_mismatch"])
    assert.deepStrictEqual(kinds(claimFindings(parts({ metadataCount: undefined, enrCount: 200 }))), [
      "custody_count_out_of_range"
    ])
    assert.deepStrictEqual(kinds(claimFindings(parts({ metadataCount: 129, earliestAvailableSlot: 1_001 }))), [
      "custody_count_out_of_range",
      "claim_mismatch",
      "earliest_slot_above_head"
    ])
  })

  it("sees what fell between two claims", () => {
    const before = makeClaim(parts({ metadataCount: 64, sequenceNumber: 5 }))
    const after = (overrides: Partial<ClaimParts>) =>
      kinds(claimChangeFindings(before, makeClaim(parts({ metadataCount: 64, ...overrides }))))
    assert.deepStrictEqual(after({}), [])
    assert.deepStrictEqual(after({ metadataCount: 128, sequenceNumber: 6, earliestAvailableSlot: 900 }), [])
    assert.deepStrictEqual(after({ metadataCount: 63 }), ["custody_count_decreased"])
    assert.deepStrictEqual(after({ metadataCount: 8, sequenceNumber: 4 }), [
      "custody_count_decreased",
      "sequence_number_decreased"
    ])
    // A count that is read somewhere else did not fall.
    assert.deepStrictEqual(after({ metadataCount: undefined, sequenceNumber: undefined }), [])
  })

  it("knows claims apart by what they oblige to", () => {
    const claim = makeClaim(parts({}))
    assert.isTrue(sameClaim(claim, makeClaim(parts({ headSlot: 2_000, observedAt: 9, sequenceNumber: 6 }))))
    assert.isFalse(sameClaim(claim, makeClaim(parts({ metadataCount: 9 }))))
    assert.isFalse(sameClaim(claim, makeClaim(parts({ earliestAvailableSlot: undefined }))))
    assert.isFalse(sameClaim(claim, makeClaim(parts({ metadataCount: undefined }))))
  })
})

describe("owedRange", () => {
  const slots = FastCheck.nat(400_000)
  it("is within what must be served and claimed, and stays clear of every moving edge", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.record({
          current: slots,
          lag: FastCheck.nat(50),
          peerHead: slots,
          earliest: FastCheck.option(slots, { nil: undefined }),
          headSlots: FastCheck.nat(10),
          retentionEpochs: FastCheck.nat(5)
        }),
        ({ current, earliest, headSlots, lag, peerHead, retentionEpochs }) => {
          const chain = makeChain({})
          const claim = makeClaim(parts({ headSlot: peerHead, earliestAvailableSlot: earliest }))
          const owed = owedRange(chain, startClaims(claim), current - lag, current, { headSlots, retentionEpochs })
          if (owed.start > owed.end) return
          const served = serveRange(chain, current)
          assert.isTrue(owed.start >= served.start && owed.end <= served.end)
          assert.isAtLeast(owed.start, earliest === undefined ? 0 : earliest + 1)
          assert.isAtMost(owed.end, Math.min(peerHead, current - lag) - headSlots)
          // So many epochs later every slot of it must still be served, unless Fulu is what bounds it.
          assert.isAtLeast(owed.start, serveRange(chain, current + retentionEpochs * 32).start)
        }
      ),
      { seed: 4, numRuns: 500 }
    )
  })

  it("is not empty for an honest peer, and starts at Fulu, at the retention edge or an epoch after its earliest slot", () => {
    const start = (chain: ChainParameters, current: number, earliest: number | undefined) =>
      owedRange(
        chain,
        startClaims(makeClaim(parts({ headSlot: current, earliestAvailableSlot: earliest }))),
        current,
        current,
        { headSlots: 2, retentionEpochs: 1 }
      )
    assert.deepStrictEqual(start(makeChain({}), 1_000, 0), { start: 320, end: 998 })
    // Whoever started from a checkpoint may lack the columns of the slot that it claims first.
    assert.deepStrictEqual(start(makeChain({}), 1_000, 700), { start: 704, end: 998 })
    assert.deepStrictEqual(start(makeChain({}), 1_000, 704), { start: 736, end: 998 })
    assert.deepStrictEqual(start(makeChain({ retentionEpochs: 4 }), 1_000, 700), { start: 28 * 32, end: 998 })
    const never = makeChain({ forks: makeChain({}).forks.slice(0, 2) })
    assert.isTrue(start(never, 1_000, 0).start > 998)
  })
})

describe("ClaimHistory", () => {
  const columns = Array.from({ length: 128 }, (_, column) => column)

  it("owes what the first claim says, and nothing else", () => {
    const history = startClaims(makeClaim(parts({ metadataCount: 4 })))
    const owed = columns.filter((column) => owes(history, 500, column))
    assert.deepStrictEqual(owed, history.current.columns)
    assert.isFalse(owed.some((column) => owes(history, 99, column)))
    assert.isTrue(owed.every((column) => owes(history, 100, column)))
  })

  it("owes a column that joined only from a margin after the slot at which it did, and one that left never", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.array(FastCheck.integer({ min: 4, max: 128 }), { minLength: 1, maxLength: 5 }),
        FastCheck.integer({ min: 100, max: 1_000 }),
        (counts, slot) => {
          const claimed = counts.map((metadataCount) => makeClaim(parts({ metadataCount })))
          const [first, ...later] = claimed
          if (first === undefined) return
          // The claims come at the slots 200, 300, …
          const history = later.reduce(
            (history, claim, index) => extendClaims(history, claim, 200 + 100 * index),
            startClaims(first)
          )
          for (const column of columns) {
            const lastWithout = claimed.findLastIndex((claim) => !claim.columns.includes(column))
            const from =
              lastWithout === -1 ? 100 : lastWithout === claimed.length - 1 ? Infinity : 232 + 100 * lastWithout
            assert.strictEqual(owes(history, slot, column), slot >= from)
          }
        }
      ),
      { seed: 8, numRuns: 60 }
    )
  })
})

describe("what a peer can be blamed for", () => {
  const accountable = (history: ClaimHistory, absence: boolean, column: number) =>
    Array.from({ length: 1_200 }, (_, slot) => slot).filter((slot) =>
      isAccountable(history, slot, column, { slotsPerEpoch: 32, absence })
    )
  const span = (slots: ReadonlyArray<number>) => [slots[0], slots.at(-1), slots.length]
  const claims = (earliestAvailableSlot: number | undefined) =>
    startClaims(makeClaim(parts({ metadataCount: 4, earliestAvailableSlot })))

  for (const [earliest, from] of [
    [640, 672],
    [650, 672],
    [671, 672],
    [672, 704]
  ] as const) {
    it(`begins at ${from}, the epoch after the earliest available slot, ${earliest}, and ends at its head`, () => {
      const history = claims(earliest)
      const [column = -1] = history.current.columns
      assert.isTrue(owes(history, earliest, column))
      for (const absence of [true, false]) {
        assert.deepStrictEqual(span(accountable(history, absence, column)), [from, 1_000, 1_001 - from])
      }
    })
  }

  it("is no absence from before it was met for one that does not say from when on it has columns", () => {
    const met = claims(undefined)
    const [column = -1] = met.current.columns
    assert.deepStrictEqual(accountable(met, true, column), [])
    const later = extendClaims(met, { ...met.current, headSlot: 1_100 }, 1_100)
    assert.deepStrictEqual(span(accountable(later, true, column)), [1_032, 1_100, 69])
    // What it sends is its own.
    assert.deepStrictEqual(span(accountable(later, false, column)), [0, 1_100, 1_101])
  })

  it("is a column that joined from a margin after we heard of it, though the earliest slot is an old one", () => {
    const few = makeClaim(parts({ metadataCount: 4, earliestAvailableSlot: 64 }))
    const more = makeClaim(parts({ metadataCount: 8, earliestAvailableSlot: 64 }))
    const history = extendClaims(startClaims(few), more, 800)
    for (const column of more.columns) {
      const from = few.columns.includes(column) ? 96 : 800 + joinMarginSlots
      assert.strictEqual(accountable(history, true, column)[0], from)
    }
    assert.isAtLeast(joinMarginSlots, 32)
  })
})

describe("slots", () => {
  it("tells the slot of a moment, and the moment of a slot", () => {
    const chain = makeChain({ slotDurationMs: 6_000 })
    FastCheck.assert(
      FastCheck.property(FastCheck.integer({ min: -1_000, max: 20_000_000 }), FastCheck.nat(5_999), (slot, into) => {
        assert.strictEqual(slotAt(chain, slotStart(chain, slot) + into), slot)
      }),
      { seed: 5 }
    )
  })
})
