import { assert, describe, it } from "@effect/vitest"
import { Either, FastCheck, Option } from "effect"
import {
  absences,
  accept,
  type ResponseState,
  type ColumnRequest,
  type SidecarPlace,
  startResponse,
  surplusAllowance,
  TooManySidecars
} from "../../../src/domain/column/ColumnResponse.ts"
import type { FindingKind } from "../../../src/domain/peer/Finding.ts"

interface Run {
  readonly state: ResponseState
  readonly kept: ReadonlyArray<SidecarPlace>
  readonly findings: ReadonlyArray<FindingKind>
}

/** A response of these sidecars; fails on the one that ends it. */
const run = (request: ColumnRequest, places: ReadonlyArray<SidecarPlace>): Either.Either<Run, TooManySidecars> =>
  places.reduce(
    (soFar: Either.Either<Run, TooManySidecars>, place) =>
      Either.flatMap(soFar, ({ findings, kept, state }) =>
        Either.map(accept(state, place), (accepted) => ({
          state: accepted.state,
          kept: accepted.kept ? [...kept, place] : kept,
          findings: Option.match(accepted.finding, {
            onNone: () => findings,
            onSome: ({ kind }) => [...findings, kind]
          })
        }))
      ),
    Either.right({ state: startResponse(request), kept: [], findings: [] })
  )

const range: ColumnRequest = { _tag: "ByRange", startSlot: 100, count: 4, columns: [3, 17, 90] }
const roots: ColumnRequest = {
  _tag: "ByRoot",
  blocks: [
    { slot: 100, columns: [3, 17, 90] },
    { slot: 103, columns: [17] }
  ]
}
const due = [100, 101, 103].map((slot) => ({ slot, columns: [3, 17, 90] }))
const at = (slot: number, index: number): SidecarPlace => ({ slot, index })
const key = ({ index, slot }: SidecarPlace) => `${slot}/${index}`

const sidecars = FastCheck.array(
  FastCheck.record({
    slot: FastCheck.oneof(FastCheck.integer({ min: 99, max: 104 }), FastCheck.maxSafeNat()),
    index: FastCheck.oneof(FastCheck.constantFrom(3, 17, 90), FastCheck.constantFrom(0, 4, 127, 128, 2 ** 50))
  }),
  { maxLength: 60 }
)

describe("accept", () => {
  it("keeps exactly the first of each requested sidecar, in whatever order they come", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.constantFrom(range, roots), sidecars, (request, places) => {
        const wanted = (place: SidecarPlace) =>
          request._tag === "ByRange"
            ? place.slot >= 100 && place.slot < 104 && request.columns.includes(place.index)
            : request.blocks.some(({ columns, slot }) => slot === place.slot && columns.includes(place.index))
        const { findings, kept } = Either.getOrThrow(run(request, places))
        const first = places.filter((place, i) => places.findIndex((other) => key(other) === key(place)) === i)
        assert.deepStrictEqual(kept, first.filter(wanted))
        const count = (kind: FindingKind) => findings.filter((found) => found === kind).length
        assert.strictEqual(count("unrequested_sidecar"), places.filter((place) => !wanted(place)).length)
        assert.strictEqual(count("duplicate_sidecar"), places.filter(wanted).length - kept.length)
        const inversions = kept.filter(({ index, slot }, i) => {
          const before = kept[i - 1]
          return before !== undefined && (slot < before.slot || (slot === before.slot && index < before.index))
        })
        assert.strictEqual(count("unordered_sidecar"), request._tag === "ByRange" ? inversions.length : 0)
      }),
      { seed: 12, numRuns: 300 }
    )
  })

  it("says what is odd about a sidecar", () => {
    const details = (places: ReadonlyArray<SidecarPlace>) => {
      const last = places.at(-1)
      const before = Either.getOrThrow(run(range, places.slice(0, -1)))
      if (last === undefined) return assert.fail()
      return Option.map(Either.getOrThrow(accept(before.state, last)).finding, ({ detail }) => detail)
    }
    assert.deepStrictEqual(details([at(100, 3), at(100, 17)]), Option.none())
    assert.deepStrictEqual(
      details([at(101, 17), at(100, 90)]),
      Option.some("column 90 of slot 100 came after column 17 of slot 101")
    )
    assert.deepStrictEqual(details([at(100, 3), at(100, 3)]), Option.some("column 3 of slot 100 came more than once"))
    assert.deepStrictEqual(details([at(100, 4)]), Option.some("column 4 of slot 100 came, and was not asked for"))
  })

  it("bears each sidecar twice and a few more, and ends a flood", () => {
    const all = [100, 101, 102, 103].flatMap((slot) => [3, 17, 90].map((index) => at(slot, index)))
    const flood = (length: number) => Array.from({ length }, (_, index) => at(index, 5))
    assert.isTrue(Either.isRight(run(range, [...all, ...all, ...flood(surplusAllowance)])))
    const error = Either.flip(run(range, [...all, ...all, ...flood(surplusAllowance + 1)]))
    assert.deepStrictEqual(
      error,
      Either.right(new TooManySidecars({ requested: 12, surplus: 12 + surplusAllowance + 1 }))
    )
  })

  it("follows the largest request there is without slowing down", () => {
    const columns = Array.from({ length: 128 }, (_, index) => index)
    let state = startResponse({ _tag: "ByRange", startSlot: 0, count: 128, columns })
    for (let slot = 0; slot < 128; slot++) {
      for (const index of columns) state = Either.getOrThrow(accept(state, at(slot, index))).state
    }
    assert.deepStrictEqual(
      absences(state, [
        { slot: 0, columns },
        { slot: 127, columns }
      ]),
      { gaps: [], truncated: [] }
    )
  })
})

describe("absences", () => {
  const after = (request: ColumnRequest, places: ReadonlyArray<SidecarPlace>) =>
    absences(Either.getOrThrow(run(request, places)).state, due)

  it("splits what is due and did not come, and loses none of it", () => {
    const requested = due.flatMap(({ columns, slot }) => columns.map((index) => at(slot, index)))
    FastCheck.assert(
      FastCheck.property(FastCheck.shuffledSubarray(requested), (places) => {
        const { gaps, truncated } = after(range, places)
        const came = new Set(places.map(key))
        const last = Math.max(...places.map(({ slot }) => slot))
        const flat = (list: typeof gaps) => list.flatMap(({ columns, slot }) => columns.map((index) => at(slot, index)))
        const absent = requested.filter((place) => !came.has(key(place)))
        assert.deepStrictEqual(
          flat(gaps),
          absent.filter(({ slot }) => places.length === 0 || slot <= last)
        )
        assert.deepStrictEqual(
          flat(truncated),
          absent.filter(({ slot }) => places.length > 0 && slot > last)
        )
        assert.isTrue([...gaps, ...truncated].every(({ columns }) => columns.length > 0))
      }),
      { seed: 13, numRuns: 300 }
    )
  })

  it("by range: a hole is a gap, an early end at a block boundary is not, an empty response is", () => {
    const block = (slot: number) => [at(slot, 3), at(slot, 17), at(slot, 90)]
    assert.deepStrictEqual(after(range, [...block(100), ...block(101)]), { gaps: [], truncated: due.slice(2) })
    assert.deepStrictEqual(after(range, [...block(100), at(101, 3)]), {
      gaps: [{ slot: 101, columns: [17, 90] }],
      truncated: due.slice(2)
    })
    assert.deepStrictEqual(after(range, block(103)), { gaps: due.slice(0, 2), truncated: [] })
    assert.deepStrictEqual(after(range, []), { gaps: due, truncated: [] })
    // What was not asked for is no response.
    assert.deepStrictEqual(after(range, [at(103, 5)]), { gaps: due, truncated: [] })
  })

  it("by root: a block that came in part has gaps, one that did not come may have been cut off", () => {
    const wanted = [
      { slot: 100, columns: [3, 17, 90] },
      { slot: 103, columns: [17] }
    ]
    const state = Either.getOrThrow(run(roots, [at(103, 17)])).state
    assert.deepStrictEqual(absences(state, wanted), { gaps: [], truncated: wanted.slice(0, 1) })
    const part = Either.getOrThrow(run(roots, [at(100, 90)])).state
    assert.deepStrictEqual(absences(part, wanted), {
      gaps: [{ slot: 100, columns: [3, 17] }],
      truncated: wanted.slice(1)
    })
    assert.deepStrictEqual(absences(startResponse(roots), wanted), { gaps: wanted, truncated: [] })
  })
})
