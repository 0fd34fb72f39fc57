import { assert, describe, it } from "@effect/vitest"
import type { ClientFamily } from "../../../src/domain/peer/ClientFamily.ts"
import { choosePeers, type Member, type SetLimits } from "../../../src/peers/set/ChoosePeers.ts"
import { candidate, member } from "./SomePeers.ts"

const all = Array.from({ length: 128 }, (_, column) => column)
/** Only the first columns are wanted at all. */
const wanting = (columns: number, holders: number, over: Partial<SetLimits> = {}): SetLimits => ({
  target: 4,
  demand: all.map((column) => (column < columns ? holders : 0)),
  dialsAtOnce: 16,
  ...over
})

const members = (count: number, over: Partial<Member> = {}) =>
  Array.from({ length: count }, (_, n) => member(`m${n}`, [0], { since: n, ...over }))

describe("among peers that would be as useful", () => {
  const hour = 3_600_000
  const at = (name: string, score: number, hours: number) => candidate(name, [9], { score, touchedAt: hours * hour })

  it("those go first that can be relied on, and nobody waits more than two hours longer for it", () => {
    const waiting = [
      at("bad", 0, 10),
      at("good", 1, 10),
      at("neutral", 0.5, 10),
      at("long", 0, 7.9),
      candidate("new", [9])
    ]
    const { dial } = choosePeers([], waiting, wanting(0, 0, { target: 5 }))
    assert.deepStrictEqual(dial, ["new", "long", "good", "neutral", "bad"])
  })

  it("all have their turn, however bad they are", () => {
    // A hundred wait, two are dialled every five minutes, and half of them are as bad, half as good as can be.
    let waiting = all.slice(0, 100).map((n) => at(`${n % 2 === 0 ? "bad" : "good"} ${n}`, n % 2, 1))
    const dialled = new Map<string, number>()
    let longest = 0
    for (let now = hour; now < 60 * hour; now += hour / 12) {
      const { dial } = choosePeers([], waiting, wanting(0, 0, { target: 2 }))
      for (const peerId of dial) {
        longest = Math.max(longest, now - (dialled.get(peerId) ?? hour))
        dialled.set(peerId, now)
      }
      waiting = waiting.map((one) => (dial.includes(one.peerId) ? { ...one, touchedAt: now } : one))
    }
    assert.strictEqual(dialled.size, 100)
    // In turns it would be fifty times five minutes.
    assert.isAtMost(longest, 50 * (hour / 12) + 2 * hour)
  })
})

describe("an eighth of the places", () => {
  const limits = wanting(0, 0, { target: 16 })
  const scores = [0.95, 0.99, 0.92, 0.5, 0.1]

  it("is for those with the best scores, who stay while all others go round", () => {
    const connected = members(18).map((one, n) => ({ ...one, score: scores[n] ?? 0.5 }))
    const { rest } = choosePeers(connected, [], limits)
    assert.deepStrictEqual(rest, ["m2", "m3"])
    // Without scores to speak of the longest there go.
    assert.deepStrictEqual(choosePeers(members(18), [], limits).rest, ["m0", "m1"])
  })

  it("is no more than that, however good all are: the others are exchanged as before", () => {
    const connected = members(18, { score: 1 })
    assert.deepStrictEqual(choosePeers(connected, [], limits).rest, ["m2", "m3"])
    const candidates = all.map((n) => candidate(`c${n}`, [9]))
    const of = (score: number) => choosePeers(members(16, { score }), candidates, limits).dial.length
    assert.isAbove(of(1), 0)
    assert.strictEqual(of(1), of(0.5))
  })
})

describe("free places", () => {
  it("go to who brings a column that is lacking, then to who can be reached, then to who waits the longest", () => {
    const candidates = [
      candidate("recent", [9], { touchedAt: 5 }),
      candidate("old", [9], { touchedAt: 1 }),
      candidate("reachable", [9], { touchedAt: 9, isReachable: true }),
      candidate("needed", [0], { touchedAt: 9 })
    ]
    const { dial, lacking } = choosePeers([], candidates, wanting(1, 1, { target: 3 }))
    assert.deepStrictEqual(dial, ["needed", "reachable", "old"])
    assert.deepStrictEqual(lacking, [0])
  })

  it("are counted with those who come by themselves or are of the configuration, but for a quarter", () => {
    const candidates = all.map((n) => candidate(`c${n}`, [9]))
    const others = (count: number) => members(count, { isChosen: false })
    const dialled = (count: number) => choosePeers(others(count), candidates, wanting(0, 0, { target: 8 })).dial.length
    assert.deepStrictEqual([0, 3, 7, 100].map(dialled), [8, 5, 2, 2])
  })

  it("are not given twice: dials are under way", () => {
    const dialling = members(2, { isConnected: false, isDialling: true })
    const away = member("away", [0], { isConnected: false })
    const candidates = all.map((n) => candidate(`c${n}`, [9]))
    assert.lengthOf(choosePeers([...dialling, away], candidates, wanting(0, 0)).dial, 2)
    assert.lengthOf(choosePeers(dialling, candidates, wanting(0, 0, { dialsAtOnce: 3 })).dial, 1)
  })
})

describe("columns", () => {
  it("are held by others than supernodes too, and by more than one client", () => {
    const supernode = (n: number) => member(`s${n}`, all, { mayGo: false, family: n === 0 ? "teku" : "prysm" })
    const three = [supernode(0), supernode(1), supernode(2)]
    const small = candidate("small", [0, 1, 2, 3], { touchedAt: 9 })
    const { dial, lacking } = choosePeers(three, [candidate("large", all), small], wanting(4, 3))
    assert.deepStrictEqual([dial, lacking], [["small"], [0, 1, 2, 3]])

    const ofFamily = (family: ClientFamily, n: number) => member(`${family}${n}`, [0], { family, mayGo: false })
    const monoculture = [ofFamily("lighthouse", 1), ofFamily("lighthouse", 2), ofFamily("lighthouse", 3)]
    const others = [candidate("same", [0]), candidate("teku", [0], { family: "teku", touchedAt: 9 })]
    assert.deepStrictEqual(choosePeers(monoculture, others, wanting(1, 3)).dial, ["teku"])
  })

  it("that are lacking take some peers beyond the target, which go again when they are not needed", () => {
    const full = members(8, { mayGo: false })
    const holders = [candidate("a", [1]), candidate("b", [1]), candidate("c", [1])]
    assert.deepStrictEqual(choosePeers(full, holders, wanting(2, 2, { target: 8 })).dial, ["a"])
    assert.deepStrictEqual(choosePeers(full, [candidate("d", [0])], wanting(2, 2, { target: 8 })).dial, [])

    const extra = [...members(8), member("a", [1], { since: 99 }), member("b", [1], { since: 99 })]
    const demand = (holders: number) => wanting(2, holders, { target: 8 })
    assert.deepStrictEqual(choosePeers(extra, [], demand(2)).rest, ["m0", "m1"])
    assert.deepStrictEqual(choosePeers(extra, [], demand(9)).rest, [], "all are needed, and few are too many")
  })
})

describe("an exchange", () => {
  it("begins with a dial, and ends with the going of who has stayed the longest", () => {
    const four = members(4)
    const waiting = [candidate("recent", [0], { touchedAt: 5 }), candidate("never", [0])]
    const begun = choosePeers(four, waiting, wanting(1, 1))
    assert.deepStrictEqual([begun.dial, begun.rest], [["never"], []])
    const dialling = member("never", [0], { isConnected: false, isDialling: true, mayGo: false })
    const meanwhile = choosePeers([...four, dialling], waiting.slice(0, 1), wanting(1, 1))
    assert.deepStrictEqual([meanwhile.dial, meanwhile.rest], [[], []])
    const there = member("never", [0], { since: 99, mayGo: false })
    assert.deepStrictEqual(choosePeers([...four, there], [], wanting(1, 1)).rest, ["m0"])
  })

  it("takes nobody who may not go yet, is of the configuration, or came by itself", () => {
    const waiting = [candidate("never", [0])]
    for (const over of [{ mayGo: false }, { isChosen: false }]) {
      const { rest } = choosePeers(members(9, over), waiting, wanting(1, 1))
      assert.deepStrictEqual(rest, [])
    }
    assert.deepStrictEqual(choosePeers(members(4, { mayGo: false }), waiting, wanting(1, 1)).dial, [])
  })

  it("goes on though each is needed for a column, where no more can be had", () => {
    const each = Array.from({ length: 5 }, (_, n) => member(`m${n}`, [n], { since: n }))
    const limits = wanting(128, 3)
    const { dial } = choosePeers(each, [candidate("never", [100])], limits)
    assert.deepStrictEqual(dial, ["never"])
    const seven = Array.from({ length: 7 }, (_, n) => member(`m${n}`, [n], { since: n }))
    assert.deepStrictEqual(choosePeers(seven, [], limits).rest, ["m0"])
  })

  it("does not wait for those who are to go and are not settled yet, as long as they are few", () => {
    const leaving = member("leaving", [0], { isLeaving: true })
    const candidates = all.map((n) => candidate(`c${n}`, [0]))
    assert.lengthOf(choosePeers([...members(3, { mayGo: false }), leaving], candidates, wanting(0, 0)).dial, 1)
    const many = Array.from({ length: 4 }, (_, n) => member(`leaving${n}`, [0], { isLeaving: true }))
    assert.lengthOf(choosePeers([...members(1, { mayGo: false }), ...many], candidates, wanting(0, 0)).dial, 0)
  })
})

describe("dials", () => {
  it("go to few of one address and one net at once", () => {
    const place = (address: string, prefix: string) => ({ places: [{ address, prefix }] })
    const oneAddress = all.map((n) => candidate(`c${n}`, [0], place("192.0.2.1", "192.0.2.0/24")))
    assert.lengthOf(choosePeers([], oneAddress, wanting(0, 0, { target: 50 })).dial, 1)
    const oneNet = all.map((n) => candidate(`c${n}`, [0], place(`192.0.2.${n}`, "192.0.2.0/24")))
    assert.lengthOf(choosePeers([], oneNet, wanting(0, 0, { target: 50 })).dial, 4)
    const held = Array.from({ length: 16 }, (_, n) => member(`m${n}`, [0], place(`192.0.2.${n}`, "192.0.2.0/24")))
    assert.lengthOf(choosePeers(held, oneNet, wanting(0, 0, { target: 50 })).dial, 0)
    const nets = all.map((n) => candidate(`c${n}`, [0], place(`192.0.${n}.1`, `192.0.${n}.0/24`)))
    assert.lengthOf(choosePeers(held, nets, wanting(0, 0, { target: 50 })).dial, 16)
  })
})
