import { assert, describe, it } from "@effect/vitest"
import type { ClientFamily } from "../../../src/domain/peer/ClientFamily.ts"
import { makeCorrelation } from "../../../src/domain/probe/Correlation.ts"

const minutes = (count: number): number => count * 60_000

/** Ten minutes are of late, and an hour is the window; each peer is told with what it is suspect and clean of. */
const watch = () => {
  const correlation = makeCorrelation({ windowMs: minutes(60), lateMs: minutes(10) })
  const families: ReadonlyArray<ClientFamily> = ["prysm", "teku", "lighthouse"]
  /** `of` peers are asked about these slots, and the first `suspect` of them are suspect there. */
  const tell = (
    slots: ReadonlyArray<number> | ((peer: number) => ReadonlyArray<number>),
    { at, clients = families, of, suspect }: { of: number; suspect: number; at: number; clients?: typeof families }
  ) => {
    for (let peer = 0; peer < of; peer++) {
      const asked = typeof slots === "function" ? slots(peer) : slots
      correlation.hear({
        peerId: `peer ${peer}`,
        family: clients[peer % clients.length] ?? "other",
        suspect: peer < suspect ? asked : [],
        clean: peer < suspect ? [] : asked,
        at: minutes(at)
      })
    }
  }
  return {
    tell,
    look: (at: number) => correlation.look(minutes(at)).peers ?? null,
    slots: (at: number) => correlation.look(minutes(at)).slots ?? null,
    isDoubtful: (slot: number, at: number) => correlation.isDoubtful(slot, minutes(at))
  }
}

const few = [1, 2, 3, 4, 5, 6]
const oneFamily = ["prysm"] as const
const oneAndUnknown = ["prysm", "unknown"] as const

describe("peers that are sound elsewhere, in one slot", () => {
  const inOneSlot = (over: { of: number; suspect: number; clients?: ReadonlyArray<ClientFamily> }) => {
    const watched = watch()
    watched.tell(few, { ...over, suspect: 0, at: 0 })
    watched.tell([50], { ...over, at: 1 })
    return watched
  }

  it("are looked for in less time than it took to hear of all slots, however many these are", () => {
    const { look, tell } = watch()
    const slots = Array.from({ length: 8_000 }, (_, slot) => slot)
    const heardFrom = performance.now()
    tell(slots, { of: 8, suspect: 0, at: 0 })
    const lookedFrom = performance.now()
    for (let count = 0; count < 50; count++) assert.isNull(look(1))
    assert.isBelow(performance.now() - lookedFrom, lookedFrom - heardFrom)
  })

  it("are too many if they are more than half of those asked, four at least, of two families", () => {
    const { isDoubtful, look, slots } = inOneSlot({ of: 8, suspect: 5 })
    assert.isFalse(isDoubtful(50, 1))
    assert.deepStrictEqual([look(1), slots(1)], [null, null], "it is that slot alone")
    assert.deepStrictEqual([isDoubtful(50, 1), isDoubtful(51, 1), isDoubtful(1, 1)], [true, false, false])
    for (const over of [
      { of: 8, suspect: 4 },
      { of: 3, suspect: 3 },
      { of: 8, suspect: 8, clients: oneFamily },
      { of: 8, suspect: 8, clients: oneAndUnknown }
    ]) {
      const { isDoubtful, look } = inOneSlot(over)
      assert.deepStrictEqual([look(1), isDoubtful(50, 1)], [null, false], JSON.stringify(over))
    }
  })

  it("are told of where there are four such slots, for as long as they are", () => {
    const { slots, tell } = watch()
    tell([1, 2, 3, 4, 5, 6, 7, 8], { of: 8, suspect: 0, at: 0 })
    tell([50, 51, 52], { of: 8, suspect: 5, at: 1 })
    assert.isNull(slots(1))
    tell([53], { of: 8, suspect: 5, at: 2 })
    assert.strictEqual(
      slots(2),
      "in 4 slots more than half of the peers are suspect that were asked about them and are sound elsewhere"
    )
    assert.isNull(slots(120))
  })

  it("leave it doubtful until as many were asked again and are sound there, however long that takes", () => {
    const { isDoubtful, slots, tell } = inOneSlot({ of: 8, suspect: 5 })
    assert.isNull(slots(1))
    assert.isTrue(isDoubtful(50, 120))
    // Whoever is asked first would be accused.
    tell([60, 61, 62, 63, 64, 65], { of: 8, suspect: 0, at: 120 })
    tell([50], { of: 3, suspect: 1, at: 121 })
    assert.isTrue(isDoubtful(50, 121))
    tell([50], { of: 4, suspect: 3, at: 122 })
    assert.isTrue(isDoubtful(50, 122))
    tell([50], { of: 4, suspect: 2, at: 123 })
    assert.isFalse(isDoubtful(50, 123))
  })
})

/** Other slots for each peer: what they have in common is the time, and nothing else. */
const ownSlots =
  (first: number) =>
  (peer: number): ReadonlyArray<number> =>
    [0, 1, 2].map((index) => first + 10 * peer + index)

describe("peers that were sound before", () => {
  const turned = (over: { of: number; suspect: number; clients?: ReadonlyArray<ClientFamily> }) => {
    const watched = watch()
    watched.tell(ownSlots(1000), { ...over, suspect: 0, at: 0 })
    watched.tell(ownSlots(2000), { ...over, at: 15 })
    return watched
  }

  it("are too many if more than half of them become suspect at once, four at least, of two families", () => {
    const { look } = turned({ of: 8, suspect: 5 })
    assert.strictEqual(look(16), "5 of 5 peers that were sound before became suspect together")
    for (const over of [
      { of: 8, suspect: 4 },
      { of: 3, suspect: 3 },
      { of: 8, suspect: 5, clients: oneFamily },
      { of: 8, suspect: 5, clients: oneAndUnknown }
    ]) {
      assert.isNull(turned(over).look(16), JSON.stringify(over))
    }
  })

  it("are too many until at most half of them are suspect, also when others would not be", () => {
    const { look, tell } = turned({ of: 8, suspect: 5 })
    assert.isNotNull(look(16))
    // It goes on so long that nothing is left of the time before.
    for (let at = 20; at <= 90; at += 5) {
      tell(ownSlots(100 * at), { of: 8, suspect: 5, at })
      assert.strictEqual(look(at), "5 of 5 peers that were sound before became suspect together", `${at}`)
    }
    tell(ownSlots(20_000), { of: 8, suspect: 3, at: 96 })
    tell(ownSlots(21_000), { of: 8, suspect: 3, at: 102 })
    assert.strictEqual(look(102), "3 of 5 peers that were sound before became suspect together")
    tell(ownSlots(22_000), { of: 8, suspect: 2, at: 108 })
    tell(ownSlots(23_000), { of: 8, suspect: 2, at: 114 })
    assert.isNull(look(114))
  })
})

describe("peers that are suspect from the start", () => {
  const started = (over: { of: number; suspect: number; clients?: ReadonlyArray<ClientFamily> }) => {
    const watched = watch()
    watched.tell(ownSlots(1000), { ...over, at: 0 })
    return watched.look(1)
  }

  it("are too many if they are more than three quarters, six at least, of two families", () => {
    assert.strictEqual(started({ of: 7, suspect: 6 }), "6 of 7 peers are suspect")
    assert.isNull(started({ of: 8, suspect: 6 }))
    assert.isNull(started({ of: 5, suspect: 5 }))
    assert.isNull(started({ of: 20, suspect: 20, clients: oneFamily }))
  })
})

describe("liars who are not more than half", () => {
  for (const [name, isLeftOut] of [
    ["everything", () => true],
    ["every third slot, the same ones", (slot: number) => slot % 3 === 0],
    ["what is new after an hour", (slot: number) => slot > 720]
  ] as const) {
    it(`trip nothing, however long they leave out ${name}`, () => {
      const { isDoubtful, look, tell } = watch()
      for (let at = 0; at < 180; at += 1) {
        for (let slot = 12 * at; slot < 12 * at + 12; slot++) {
          // Everybody is asked about every slot in the end.
          tell([slot], { of: 20, suspect: isLeftOut(slot) ? 10 : 0, at })
          assert.isFalse(isDoubtful(slot, at))
        }
        assert.isNull(look(at), `${at}`)
      }
    })
  }
})
