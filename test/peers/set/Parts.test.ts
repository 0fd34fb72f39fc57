import { assert, describe, it } from "@effect/vitest"
import { Duration, Option } from "effect"
import { type BookEntry, newEntry } from "../../../src/discovery/book/BookEntry.ts"
import type { OutcomeKind } from "../../../src/domain/probe/Outcome.ts"
import { makeAddressBackOff } from "../../../src/peers/set/AddressBackOff.ts"
import { makeAuditRound } from "../../../src/peers/set/AuditRound.ts"
import { addressesToDial } from "../../../src/peers/set/Candidates.ts"
import { makeColumnDemand } from "../../../src/peers/set/ColumnDemand.ts"
import { placesOf } from "../../../src/peers/set/DialLimits.ts"
import { placesTaken } from "../../../src/peers/set/Members.ts"
import { afterVisit, mayGo, type Visit, visitPace } from "../../../src/peers/set/Visit.ts"
import { nodeOf, peerIdOf } from "../../discovery/book/Nodes.ts"

const minute = 60_000
const hour = 60 * minute

const entry = (n: number, over: Partial<BookEntry> = {}): BookEntry => ({ ...newEntry(nodeOf(n), 0), ...over })

describe("the places of a peer", () => {
  const [own, victims] = ["/ip4/8.8.4.4/tcp/9000", "/ip4/9.9.9.9/tcp/9000"]
  const ofRecord = placesOf([own, victims])

  it("are all that its record names before it is there, and then the one at which it is", () => {
    const remoteAddress = Option.some(`${own}/p2p/${peerIdOf(1)}`)
    assert.lengthOf(placesTaken({ isConnected: false, remoteAddress }, ofRecord), 2)
    assert.deepStrictEqual(placesTaken({ isConnected: true, remoteAddress }, ofRecord), placesOf([own]))
    assert.lengthOf(placesTaken({ isConnected: true, remoteAddress: Option.none() }, ofRecord), 2)
  })
})

describe("a visit", () => {
  const now = 24 * hour
  const visit = (stayed: number, over: Partial<Visit> = {}): Visit => ({
    connectedSince: Option.some(now - stayed),
    lastProbeAt: Option.some(now),
    isSettled: true,
    isCounted: false,
    ...over
  })

  const pace = visitPace(Duration.seconds(10))

  it("takes some dozen probes, and five minutes at most", () => {
    const stayOf = (testInterval: Duration.DurationInput) => visitPace(Duration.decode(testInterval)).leastStayMs
    assert.deepStrictEqual((["5 minutes", "10 seconds", "1 second", "100 millis"] as const).map(stayOf), [
      5 * minute,
      5 * minute,
      minute / 2,
      10_000
    ])
  })

  it("may end after five minutes, when the peer was probed and nothing is open", () => {
    assert.isFalse(mayGo(visit(4 * minute), pace, now))
    assert.isTrue(mayGo(visit(5 * minute), pace, now))
    assert.isFalse(mayGo(visit(5 * minute, { isSettled: false }), pace, now))
    assert.isTrue(mayGo(visit(30 * minute, { isSettled: false }), pace, now))
    assert.isFalse(mayGo(visit(2 * hour, { isSettled: false, isCounted: true }), pace, now))
    assert.isFalse(mayGo(visit(hour, { connectedSince: Option.none() }), pace, now))
    const before = { lastProbeAt: Option.some(now - 2 * hour) }
    assert.isFalse(mayGo(visit(29 * minute, before), pace, now), "the last probe was of another visit")
    assert.isTrue(mayGo(visit(30 * minute, before), pace, now))
  })

  it("is followed by rest: an hour after an audit, ever longer where it came to nothing", () => {
    const end = { wasAudited: false, isOurs: false, refusal: Option.none(), leftAloneUntil: 0 }
    const waits = (refusal: Option.Option<"too_many_peers">) => {
      let failures = 0
      return Array.from({ length: 12 }, () => {
        const change = afterVisit(entry(1, { failures }), { ...end, refusal }, now, 0)
        failures = change.failures ?? 0
        return ((change.notBefore ?? 0) - now) / minute
      })
    }
    assert.deepStrictEqual(waits(Option.none()), [5, 10, 20, 40, 80, 160, 320, 640, 1280, 1440, 1440, 1440])
    const full = waits(Option.some("too_many_peers"))
    assert.deepStrictEqual(full.slice(0, 5), [10, 60, 300, 7 * 60, 11 * 60])
    let hourOfDay = 0
    const hours = full.map((wait) => (hourOfDay = (hourOfDay + Math.round(wait / 60)) % 24))
    assert.isAtLeast(new Set(hours.slice(2)).size, 7, "at other hours")
    assert.deepStrictEqual(afterVisit(entry(1, { failures: 4 }), { ...end, wasAudited: true }, now, 0), {
      failures: 0,
      notBefore: now + hour
    })
    const later = now + 12 * hour
    assert.deepInclude(afterVisit(entry(1), { ...end, leftAloneUntil: later }, now, 1), { notBefore: later })
    assert.deepStrictEqual(afterVisit(entry(1), { ...end, isOurs: true }, now, 0), { notBefore: now + 10 * minute })
  })
})

describe("an address at which nobody was reached", () => {
  it("is left alone for a while, whoever is said to be there, and not for long", () => {
    const backOff = makeAddressBackOff()
    const free = (now: number) => backOff.free(["a", "b"], now)
    backOff.failed(["a"], 0)
    assert.deepStrictEqual([free(59_000), free(minute)], [["b"], ["a", "b"]])
    for (let n = 0; n < 9; n++) backOff.failed(["a"], hour)
    assert.deepStrictEqual([free(1.4 * hour), free(1.5 * hour)], [["b"], ["a", "b"]])
    backOff.failed(["a"], 2 * hour)
    backOff.reached(["a"])
    assert.deepStrictEqual(free(2 * hour), ["a", "b"])
  })

  it("is one of a host that is left alone, where many of its ports came to nothing", () => {
    const backOff = makeAddressBackOff()
    const at = (port: number) => [`/ip4/192.0.2.7/tcp/${port}`]
    const isVain = (now: number) => backOff.isVain(placesOf(at(1)), now)
    for (let port = 1; port <= 8; port++) backOff.failed(at(port), 0)
    assert.isFalse(isVain(0))
    backOff.failed(at(9), 0)
    assert.deepStrictEqual([isVain(minute - 1), isVain(minute)], [true, false])
    assert.isFalse(backOff.isVain(placesOf(["/ip4/192.0.2.8/tcp/1"]), 0))
    for (let port = 10; port <= 30; port++) backOff.failed(at(port), 0)
    assert.deepStrictEqual([isVain(hour / 2 - 1), isVain(hour / 2)], [true, false])
    backOff.reached(at(31))
    assert.isFalse(isVain(0))
  })

  it("is dialled all the same for who was reached there at the last visit, whoever else claims it", () => {
    const backOff = makeAddressBackOff()
    const { multiaddrs } = entry(1)
    backOff.failed(multiaddrs, 0)
    const toDial = (over: Partial<BookEntry>) => addressesToDial(entry(1, over), backOff, 1)
    assert.deepStrictEqual(toDial({}), [])
    assert.deepStrictEqual(toDial({ reachedAt: Option.some(0) }), multiaddrs)
    assert.deepStrictEqual(toDial({ reachedAt: Option.some(0), failures: 1 }), [])
  })
})

describe("the place of an address", () => {
  it.each([
    ["/ip4/192.0.2.7/tcp/1", [{ address: "192.0.2.7", prefix: "192.0.2.0/24" }]],
    ["/ip6/2001:db8:1:2::7/udp/1/quic-v1", [{ address: "2001:db8:1:2::/64", prefix: "2001:db8:1::/48" }]],
    ["/ip6/::ffff:192.0.2.7/tcp/1", [{ address: "192.0.2.7", prefix: "192.0.2.0/24" }]],
    ["/ip4/127.0.0.1/tcp/1", []],
    ["/ip4/10.1.2.3/tcp/1", []],
    ["/ip4/172.31.2.3/tcp/1", []],
    ["/ip4/192.168.2.3/tcp/1", []],
    ["/ip4/100.64.0.1/tcp/1", []],
    ["/ip6/::1/tcp/1", []],
    ["/ip6/fd00::1/tcp/1", []],
    ["/ip6/fe80::1/tcp/1", []],
    ["/dns4/node.example/tcp/1", []],
    ["nonsense", []]
  ])("of %s", (address, places) => {
    assert.deepStrictEqual(placesOf([address, address]), places)
  })
})

describe("the holders that a column is to have", () => {
  const outcome = (column: number, kind: OutcomeKind) => ({ slot: 1, column, outcome: kind, blockRoot: "0x", blobs: 1 })
  const heard = (...kinds: ReadonlyArray<OutcomeKind>) => {
    const demand = makeColumnDemand(3)
    for (const kind of kinds) demand.hear([outcome(7, kind), outcome(8, "success")], 0)
    return demand
  }
  it("are more when three samplings in a row did not bring it", () => {
    assert.deepStrictEqual(heard("timeout", "refused").at(0)[7], 3)
    assert.deepStrictEqual(heard("timeout", "success", "refused", "missing").at(0)[7], 3)
    assert.deepStrictEqual(heard("timeout", "unverifiable", "unverifiable", "unverifiable").at(0)[7], 3)
    const demand = heard("timeout", "refused", "disconnected")
    assert.deepStrictEqual([demand.at(0)[7], demand.at(0)[8]], [6, 3])
  })

  it("are not more than four times as many, and are let down again", () => {
    const demand = heard(...Array.from({ length: 27 }, () => "refused" as const))
    const after = (minutes: number) => demand.at(minutes * minute)[7]
    assert.deepStrictEqual([0, 9, 10, 20, 29, 30, 90].map(after), [12, 12, 9, 6, 6, 3, 3])
  })
})

describe("a round of the audit", () => {
  const window = Duration.days(7)
  const isConnected = () => false
  const reached = { reachedAt: Option.some(0), triedAt: Option.some(0) }

  it("tells who is known, reachable and audited, and when it will be done", () => {
    const start = 100 * hour
    const now = start + hour
    const round = makeAuditRound(start, window)
    const ago = (ms: number) => ({ auditedAt: Option.some(now - ms) })
    const entries = [
      entry(1, { ...reached, ...ago(0) }),
      entry(2, { ...reached, ...ago(2 * hour) }),
      entry(3, { ...reached, ...ago(30 * hour) }),
      entry(4, { ...reached, failures: 1 }),
      entry(5),
      entry(6, reached)
    ]
    for (let n = 0; n < 10; n++) round.audited(Option.some(start - 1), start + n)
    round.audited(Option.some(start + 5), start + 6)
    const progress = round.progress(entries, (peerId) => peerId === peerIdOf(6), now)
    assert.deepInclude(progress, { known: 6, reachable: 4, audited: { hour: 1, day: 2, window: 3 }, peersPerHour: 10 })
    // Three that can be reached, and four fifths of the one that was not tried.
    assert.strictEqual(progress.roundDoneAt, Math.round(now + (3.8 / 10) * hour))
  })

  it("is followed by another when it is done, and has no end while there is no pace", () => {
    const round = makeAuditRound(0, window)
    assert.strictEqual(round.progress([entry(1, reached)], isConnected, hour).roundDoneAt, null)
    const done = [entry(1, { ...reached, auditedAt: Option.some(hour) })]
    round.audited(Option.none(), hour)
    assert.strictEqual(round.progress(done, isConnected, hour + 1).roundDoneAt, hour + 1)
    assert.isAbove(round.progress(done, isConnected, hour + 2).roundDoneAt ?? 0, hour + 2)
  })
})
