import { assert, describe, it } from "@effect/vitest"
import { Duration, FastCheck } from "effect"
import {
  countSuspicions,
  dueSuspicions,
  mostSuspicions,
  noSuspicions,
  postponed,
  type Suspicions,
  withOutcomes
} from "../../../src/domain/peer/Suspicions.ts"
import type { Outcome } from "../../../src/domain/probe/Job.ts"
import { type OutcomeKind, outcomeKinds } from "../../../src/domain/probe/Outcome.ts"

const minute = Duration.minutes(1)
const minutes = (count: number): number => count * 60_000

const outcome = (slot: number, column: number, kind: OutcomeKind, over: Partial<Outcome> = {}): Outcome => ({
  slot,
  column,
  outcome: kind,
  ...(kind === "suspected" ? { suspicion: "missing" as const } : {}),
  blockRoot: `0x${slot}`,
  blobs: 1,
  ...over
})

/** Every entry after the one before it, a minute apart. */
const after = (...probes: ReadonlyArray<ReadonlyArray<Outcome>>): Suspicions =>
  probes.reduce<Suspicions>(
    (suspicions, outcomes, index) =>
      withOutcomes(suspicions, {
        outcomes,
        at: minutes(index),
        isConfirmation: true,
        finalUpTo: 99,
        confirmAfter: minute
      }),
    noSuspicions
  )

const settlesNothing = new Set<OutcomeKind>(["timeout", "disconnected", "refused", "suspected"])

const columnsOf = (suspicions: Suspicions, slot: number) => suspicions.get(slot)?.columns.map(({ column }) => column)

describe("what is suspected", () => {
  it("is kept by slot until each of its columns came, was blamed, or cannot be judged any more", () => {
    const first = [
      outcome(7, 1, "suspected"),
      outcome(7, 2, "suspected"),
      outcome(7, 3, "success"),
      outcome(8, 1, "success")
    ]
    const suspicions = after(first)
    assert.deepStrictEqual([...suspicions.keys()], [7])
    assert.deepStrictEqual(columnsOf(suspicions, 7), [1, 2])
    assert.deepInclude(suspicions.get(7), { since: 0, attempts: 0, askAgainAt: minutes(1) })
    assert.deepStrictEqual(columnsOf(after(first, [outcome(7, 1, "success")]), 7), [2])
    for (const kind of ["missing", "invalid", "unavailable", "malformed", "unverifiable"] as const) {
      assert.strictEqual(after(first, [outcome(7, 1, kind), outcome(7, 2, "success")]).size, 0, kind)
    }
    for (const kind of ["timeout", "disconnected", "refused"] as const) {
      assert.deepStrictEqual(columnsOf(after(first, [outcome(7, 1, kind), outcome(7, 2, kind)]), 7), [1, 2], kind)
    }
  })

  it("waits twice as long after each question in vain, and never longer than six hours", () => {
    const again = [outcome(7, 1, "suspected")]
    const waits = (count: number): number =>
      (after(...Array.from({ length: count + 1 }, () => again)).get(7)?.askAgainAt ?? 0) - minutes(count)
    assert.deepStrictEqual([0, 1, 2, 3, 4].map(waits), [1, 2, 4, 8, 16].map(minutes))
    assert.strictEqual(waits(40), minutes(360))
    let put = after(again)
    for (const wait of [2, 4, 8]) {
      put = postponed(put, 7, 5, minute)
      assert.strictEqual(put.get(7)?.askAgainAt, 5 + minutes(wait))
    }
    assert.strictEqual(postponed(put, 9, 5, minute), put)
  })

  it("is suspected for the first time where it is another kind of trouble, or of another block", () => {
    const broken = [outcome(7, 1, "suspected", { suspicion: "server_error" })]
    const left = [outcome(7, 1, "suspected", { suspicion: "missing" })]
    assert.deepInclude(after(broken, broken).get(7), { since: 0, attempts: 1 })
    assert.deepInclude(after(broken, broken, left).get(7), { since: minutes(2), attempts: 0, askAgainAt: minutes(3) })
    const reorged = after(
      [outcome(7, 1, "suspected"), outcome(7, 2, "suspected")],
      [outcome(7, 1, "suspected", { blockRoot: "0xother" })]
    )
    assert.deepStrictEqual(columnsOf(reorged, 7), [1])
    assert.deepInclude(reorged.get(7), { blockRoot: "0xother", since: minutes(1), attempts: 0 })
  })

  it("is of two kinds, or was final, as soon as one conversation says so", () => {
    const left = [outcome(7, 1, "suspected", { suspicion: "missing" })]
    const refused = [outcome(7, 1, "suspected", { suspicion: "unavailable" })]
    const broken = [outcome(7, 1, "suspected", { suspicion: "server_error" })]
    const isMixed = (...probes: ReadonlyArray<ReadonlyArray<Outcome>>) => after(...probes).get(7)?.columns[0]?.isMixed
    assert.isTrue(isMixed(left, refused))
    assert.isTrue(isMixed(left, refused, refused))
    assert.isUndefined(isMixed(left, left))
    assert.isUndefined(isMixed(broken, left))
    const heard = { outcomes: left, isConfirmation: true, confirmAfter: minute }
    const young = withOutcomes(noSuspicions, { ...heard, at: 0, finalUpTo: 6 })
    assert.isUndefined(young.get(7)?.columns[0]?.isFinal)
    const old = withOutcomes(young, { ...heard, at: minutes(2), finalUpTo: 7 })
    assert.deepInclude(old.get(7), { since: minutes(2), attempts: 0, askAgainAt: minutes(3) })
    assert.isTrue(old.get(7)?.columns[0]?.isFinal)
    const broke = withOutcomes(young, {
      ...heard,
      outcomes: [outcome(7, 1, "timeout", { suspicion: "unanswered" })],
      at: minutes(2),
      finalUpTo: 7
    })
    assert.isUndefined(broke.get(7)?.columns[0]?.isFinal)
  })

  it("is not waited for longer because it was met again while sampling", () => {
    const outcomes = [outcome(7, 1, "suspected")]
    const heard = { outcomes, at: minutes(3), finalUpTo: 99, confirmAfter: minute }
    const before = after(outcomes)
    const met = withOutcomes(before, { ...heard, isConfirmation: false })
    assert.deepInclude(met.get(7), { since: 0, attempts: 0, askAgainAt: minutes(1) })
    assert.deepInclude(withOutcomes(before, { ...heard, isConfirmation: true }).get(7), { attempts: 1 })
  })

  it("is not where an answer broke off, which is asked for again all the same, and takes nothing back", () => {
    const broken = [outcome(7, 1, "timeout", { suspicion: "unanswered" })]
    const suspicions = after(broken)
    assert.deepStrictEqual([columnsOf(suspicions, 7), countSuspicions(suspicions)], [[1], 0])
    assert.strictEqual(dueSuspicions(suspicions, minutes(1), () => true).length, 1)
    const left = after([outcome(7, 1, "suspected")], broken)
    assert.strictEqual(left.get(7)?.columns[0]?.suspicion, "missing")
    assert.strictEqual(countSuspicions(left), 1)
  })

  it("is asked for together with what is near it: four slots at most, all of them within one request", () => {
    const due = (...slots: ReadonlyArray<number>) =>
      dueSuspicions(after(...slots.map((slot) => [outcome(slot, 1, "suspected")])), minutes(60), () => true).map(
        ({ slot }) => slot
      )
    assert.deepStrictEqual(due(500, 563, 437, 564, 436, 501), [437, 500, 501, 563])
    assert.deepStrictEqual(due(500, 501, 502, 503, 504), [500, 501, 502, 503])
    assert.deepStrictEqual(due(500, 900, 1), [500])
    FastCheck.assert(
      FastCheck.property(FastCheck.uniqueArray(FastCheck.nat(400), { minLength: 1, maxLength: 12 }), (slots) => {
        const asked = due(...slots)
        assert.include(asked, slots[0])
        assert.isTrue(asked.length >= 1 && asked.length <= 4)
        assert.isBelow((asked.at(-1) ?? 0) - (asked[0] ?? 0), 128)
        assert.deepStrictEqual(
          asked,
          [...new Set(asked)].toSorted((a, b) => a - b)
        )
      }),
      { seed: 12, numRuns: 200 }
    )
  })

  it("is asked for in the order in which it is due, of what can be settled", () => {
    const suspicions = after([outcome(7, 1, "suspected")], [outcome(3, 1, "suspected")])
    const due = (now: number, isReady: (slot: number) => boolean = () => true) =>
      dueSuspicions(suspicions, now, ({ slot }) => isReady(slot)).map(({ slot }) => slot)
    assert.deepStrictEqual(due(minutes(1) - 1), [])
    assert.deepStrictEqual(due(minutes(2) - 1), [7])
    assert.deepStrictEqual(
      due(minutes(5), (slot) => slot < 7),
      [3]
    )
    assert.deepStrictEqual(
      due(minutes(5), () => false),
      []
    )
  })

  it("is never more than the bound, and nothing that was settled is left in it, whatever comes", () => {
    const outcomes = FastCheck.array(
      FastCheck.record({
        slot: FastCheck.nat(20),
        first: FastCheck.nat(127),
        columns: FastCheck.integer({ min: 1, max: 60 }),
        kind: FastCheck.constantFrom<OutcomeKind>(...outcomeKinds, "suspected", "suspected", "suspected")
      }),
      { minLength: 1, maxLength: 6 }
    )
    let fullest = 0
    FastCheck.assert(
      FastCheck.property(FastCheck.array(outcomes, { minLength: 1, maxLength: 12 }), (probes) => {
        let suspicions = noSuspicions
        for (const [index, probe] of probes.entries()) {
          const told = new Map<string, Outcome>()
          for (const { columns, first, kind, slot } of probe) {
            for (let column = first; column < Math.min(128, first + columns); column++) {
              told.set(`${slot}/${column}`, outcome(slot, column, kind))
            }
          }
          suspicions = withOutcomes(suspicions, {
            outcomes: [...told.values()],
            at: index,
            isConfirmation: true,
            finalUpTo: 99,
            confirmAfter: minute
          })
          const count = countSuspicions(suspicions)
          fullest = Math.max(fullest, count)
          assert.isAtMost(count, mostSuspicions)
          for (const { column, outcome, slot } of told.values()) {
            if (settlesNothing.has(outcome)) continue
            assert.isFalse((columnsOf(suspicions, slot) ?? []).includes(column))
          }
          for (const { columns } of suspicions.values()) assert.isNotEmpty(columns)
        }
      }),
      { seed: 11, numRuns: 100 }
    )
    assert.strictEqual(fullest, mostSuspicions)
  })
})
