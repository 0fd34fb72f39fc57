import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Context, Duration, Effect, Layer, Option, Schema, TestClock } from "effect"
import type { Dasmon } from "../../../src/Dasmon.ts"
import { identityOf } from "../../../src/devnet/peer/DevPeerIdentity.ts"
import { unrestrained } from "../../../src/domain/peer/Restraint.ts"
import { neutralScore } from "../../../src/domain/peer/Score.ts"
import type { SlotVerdict } from "../../../src/domain/availability/SlotVerdict.ts"
import { Probe } from "../../../src/domain/probe/Job.ts"
import * as OnDemand from "../../../src/domain/probe/ProbeNow.ts"
import { noEvasion } from "../../../src/domain/peer/Evasion.ts"
import { PeerDetail } from "../../../src/domain/report/PeerDetail.ts"
import { SlotMatrix } from "../../../src/domain/matrix/MatrixView.ts"
import { Availability } from "../../../src/domain/report/Question.ts"
import { SlotDetail } from "../../../src/domain/report/SlotDetail.ts"
import { History } from "../../../src/history/store/History.ts"
import * as MemoryReports from "../../../src/history/report/MemoryReports.ts"
import { ReportError, Reports } from "../../../src/history/report/Reports.ts"
import * as ReportsInline from "../../../src/history/report/ReportsInline.ts"
import * as SqliteHistory from "../../../src/history/store/SqliteHistory.ts"
import {
  ArrivalsOfSlot,
  Clients,
  Columns,
  PeerPage,
  ProbePage,
  ReportRows
} from "../../../src/http/api/ResponseSchemas.ts"
import { HttpError } from "../../../src/http/server/HttpErrors.ts"
import { HttpAddress, layer } from "../../../src/http/server/Server.ts"
import { describePeer } from "../../../src/peers/DescribePeer.ts"
import { Peers } from "../../../src/peers/Peers.ts"
import { claim, keepAll, network, outcome, probe, temporaryFolder } from "../../history/store/Fixture.ts"
import { arrivalsToRecord } from "../../history/report/Arrivals.ts"
import { get } from "../Client.ts"
import { makeFakeDasmon, peerOf, probeOf, statusOf } from "../FakeDasmon.ts"

const one = "16Uiu2HAm6nLcG47AyCQnB5kDaWJNLbVFbTL9AG3uVvwZK1KUeYs6"
const two = "16Uiu2HAmSUYdtMsV74nupNNcEJefunDpPiDKjWiUU5PEvWo5Rt7g"
const strict = { onExcessProperty: "error" } as const

const start = (over: Partial<Dasmon["Type"]> = {}) =>
  Effect.gen(function* () {
    const fake = yield* makeFakeDasmon(64, over)
    const context = yield* Layer.build(layer({ host: "127.0.0.1", port: 0 }).pipe(Layer.provide(fake.layer)))
    return { ...fake, url: Context.get(context, HttpAddress).url }
  })

/** The answer to a path, which must be 200 and exactly as its schema says. */
const read = <A, I>(url: string, schema: Schema.Schema<A, I>) =>
  Effect.gen(function* () {
    const { headers, status, text } = yield* get(url)
    assert.strictEqual(status, 200, text)
    assert.match(headers["content-type"] ?? "", /^application\/json/)
    return yield* Schema.decode(Schema.parseJson(schema), strict)(text)
  })

const decodeError = Schema.decode(Schema.parseJson(HttpError), strict)
const failure = (url: string, method: "GET" | "POST" = "GET") =>
  Effect.gen(function* () {
    const { headers, status, text } = yield* get(url, { method })
    return { status, headers, error: yield* decodeError(text) }
  })

const suspected = {
  slot: 8,
  blockRoot: `0x${"ab".repeat(32)}`,
  columns: [{ column: 2, suspicion: "missing" as const, reason: "left out once" }],
  since: 1,
  attempts: 0,
  askAgainAt: 2
}

/** A history on disk with three probes of two peers, and what is asked of it. */
const recorded = Effect.gen(function* () {
  const path = join(yield* temporaryFolder, "history.db")
  const context = yield* Layer.build(
    Layer.merge(SqliteHistory.layer({ path, network, retention: keepAll }), ReportsInline.layer({ path }))
  )
  const history = Context.get(context, History)
  const reports = Context.get(context, Reports)
  const at = yield* Clock.currentTimeMillis
  yield* history.recordPeer(one, {
    agent: Option.some("Lighthouse/v8.0.0-abcdef"),
    address: Option.some("/ip4/192.0.2.1/tcp/9000"),
    at
  })
  yield* history.recordPeer(two, { agent: Option.some("Prysm/v6.1.2"), address: Option.none(), at })
  yield* history.recordClaim(one, claim({ columns: [0, 1, 2, 3], earliestAvailableSlot: 0 }))
  yield* history.recordClaim(one, claim({ custodyGroupCount: 8, columns: [0, 1, 2, 3, 4, 5, 6, 7] }))
  const when = { startedAt: at - 200, finishedAt: at }
  const columns = Array.from({ length: 64 }, (_, column) => column)
  const probes = [
    probe("00000000-0000-4000-8000-000000000001", one, [outcome(0, 0, "success"), outcome(0, 1, "success")], when),
    probe(
      "00000000-0000-4000-8000-000000000002",
      two,
      columns.map((column) => outcome(5, column, "success")),
      when
    ),
    probe(
      "00000000-0000-4000-8000-000000000003",
      one,
      [outcome(7, 0, "missing", "left out"), outcome(7, 3, "success")],
      when
    )
  ]
  for (const probe of probes) {
    yield* history.recordProbe(probe, "answered", { owed: 100, tested: 10, failed: 1 })
  }
  yield* history.recordStanding(one, {
    suspicions: [suspected],
    evasion: noEvasion,
    restraint: unrestrained,
    score: neutralScore
  })
  yield* history.flush
  const peers = Layer.mock(Peers, {
    view: () => Option.none(),
    views: () => [],
    isSentAway: () => false,
    passedOver: () => 0
  })
  const over: Partial<Dasmon["Type"]> = {
    reports,
    probe: history.probe,
    peer: (peerId) =>
      describePeer(peerId, Duration.days(7)).pipe(
        Effect.provide(peers),
        Effect.provideService(Reports, reports),
        Effect.provideService(History, history)
      ),
    slot: (slot, limit) =>
      Effect.map(reports.slot({ slot, limit }), (holdings) => ({
        ...holdings,
        epoch: 0,
        startsAt: 0,
        canonical: { _tag: "Empty" as const }
      }))
  }
  return { probes, over }
})

describe("/peers", () => {
  it.scoped("filters, and gives every peer once on its pages whoever comes meanwhile", () =>
    Effect.gen(function* () {
      const { setPeers, url } = yield* start()
      const custody = { groupCount: 1, columns: [0], earliestAvailableSlot: 0, source: "metadata" as const }
      const peers = Array.from({ length: 25 }, (_, index) =>
        peerOf(identityOf(1, index).peerId, {
          verdict: index % 5 === 0 ? "violating" : index === 6 ? "evasive" : "compliant",
          suspicions: index % 6,
          agent: index % 2 === 0 ? "Lighthouse/v8.0.0" : null,
          connected: index % 3 === 0,
          custody: index === 4 ? custody : index === 5 ? null : { ...custody, columns: [1, 2] }
        })
      )
      yield* setPeers(peers.toReversed())
      const ids = (page: typeof PeerPage.Type) => page.peers.map(({ peerId }) => peerId)
      const expected = (keep: (index: number) => boolean) =>
        peers
          .filter((_, index) => keep(index))
          .map(({ peerId }) => peerId)
          .sort()
      const cases = [
        ["", () => true],
        ["?verdict=violating", (index: number) => index % 5 === 0],
        ["?verdict=evasive", (index: number) => index === 6],
        ["?suspicions=true", (index: number) => index % 6 > 0],
        ["?suspicions=false&verdict=evasive", (index: number) => index === 6],
        ["?client=lighthouse", (index: number) => index % 2 === 0],
        ["?client=unknown&connected=false", (index: number) => index % 2 === 1 && index % 3 !== 0],
        ["?column=0", (index: number) => index === 4],
        ["?column=127", () => false],
        ["?connected=true&verdict=violating", (index: number) => index % 3 === 0 && index % 5 === 0]
      ] as const
      for (const [query, keep] of cases) {
        const page = yield* read(`${url}/peers${query}`, PeerPage)
        assert.deepStrictEqual([query, ids(page), page.total], [query, expected(keep), expected(keep).length])
      }

      const first = yield* read(`${url}/peers?limit=10`, PeerPage)
      assert.deepStrictEqual([first.peers.length, first.total], [10, 25])
      yield* setPeers(peers.filter(({ peerId }) => !ids(first).slice(2, 5).includes(peerId)))
      const second = yield* read(`${url}/peers?limit=10&cursor=${first.next}`, PeerPage)
      const third = yield* read(`${url}/peers?limit=10&cursor=${second.next}`, PeerPage)
      assert.isNull(third.next)
      assert.deepStrictEqual(
        [...ids(first), ...ids(second), ...ids(third)],
        expected(() => true)
      )
    })
  )

  it.scoped("tells all of a peer that is only on record", () =>
    Effect.gen(function* () {
      const { over } = yield* recorded
      const { url } = yield* start(over)
      const detail = yield* read(`${url}/peers/${one}`, PeerDetail)
      assert.deepInclude(detail, { peerId: one, tracked: false, connected: false, verdict: "violating", probes: 2 })
      assert.strictEqual(detail.agent, "Lighthouse/v8.0.0-abcdef")
      assert.deepInclude(detail.outcomes, { success: 3, missing: 1 })
      assert.deepInclude(detail, { suspicions: 1, failing: 1, recovered: 0, suspected: [suspected] })
      assert.strictEqual(detail.coverage?.proven?.share, 0.9)
      assert.strictEqual((yield* read(`${url}/peers/${two}`, PeerDetail)).verdict, "compliant")
      assert.deepStrictEqual(
        detail.claims.map(({ columns }) => columns.length),
        [4, 8]
      )
      assert.deepStrictEqual(detail.custody?.columns, [0, 1, 2, 3, 4, 5, 6, 7])
      assert.deepInclude(detail.coverage, { owed: 100, tested: 10, failed: 1 })
      assert.isAbove(detail.coverage?.withheld?.low ?? 0, 0)
      assert.deepStrictEqual(
        detail.failures.map(({ column, outcome, reason, slot }) => [slot, column, outcome, reason]),
        [[7, 0, "missing", "left out"]]
      )
      assert.deepStrictEqual(
        detail.days.map(({ blamed, tested }) => [tested, blamed]),
        [[4, 1]]
      )
      const stranger = yield* failure(`${url}/peers/${identityOf(1, 0).peerId}`)
      assert.deepStrictEqual([stranger.status, stranger.error._tag], [404, "UnknownPeer"])
    })
  )
})

describe("the matrix of a slot", () => {
  it.scoped("is told as the engine has it, and only of a slot", () =>
    Effect.gen(function* () {
      const matrix: SlotMatrix = {
        slot: 7,
        startsAt: 84_000,
        canonical: { _tag: "Unknown", reason: "the head is at slot 3" },
        blocks: [
          {
            slot: 7,
            blockRoot: `0x${"ab".repeat(32)}`,
            blobs: 1,
            columns: [
              { column: 5, rows: [0], source: "gossip", at: 84_400, sinceMs: 400, peerId: one, inMemory: true },
              { column: 6, rows: [0], source: "recovered", at: 83_999, sinceMs: -1, peerId: null, inMemory: false }
            ],
            held: 2,
            needed: 62,
            recoverable: false,
            isCanonical: false
          }
        ]
      }
      const { url } = yield* start({ matrix: (slot) => Effect.succeed({ ...matrix, slot }) })
      assert.deepStrictEqual(yield* read(`${url}/slots/7/matrix`, SlotMatrix), matrix)
      const bad = yield* failure(`${url}/slots/x/matrix`)
      assert.deepStrictEqual([bad.status, bad.error._tag], [400, "BadParameter"])
    })
  )
})

describe("how columns came over gossip", () => {
  it.scoped("is told by column, day and client, and of each block of a slot", () =>
    Effect.gen(function* () {
      const context = yield* Layer.build(MemoryReports.layer)
      yield* Effect.forEach(arrivalsToRecord, Context.get(context, History).recordArrivals, { discard: true })
      const { url } = yield* start({ reports: Context.get(context, Reports) })
      for (const [by, groups] of [
        ["arrival", [0, 1, 7, 9, 100]],
        ["arrival-day", ["2024-10-04", "2024-10-05"]],
        ["arrival-client", ["lighthouse", "prysm"]]
      ] as const) {
        const report = yield* read(`${url}/report?by=${by}`, ReportRows)
        assert.deepStrictEqual([report.by, report.rows.map((row) => "group" in row && row.group)], [by, groups])
      }
      const { blocks } = yield* read(`${url}/slots/5/arrivals`, ArrivalsOfSlot)
      assert.deepStrictEqual(
        blocks.map(({ columns }) => columns.map(({ arrival, column }) => [column, arrival?.ms])),
        [
          [
            [0, 512],
            [1, 900],
            [7, 4001],
            [9, undefined],
            [100, -40]
          ]
        ]
      )
    })
  )
})

describe("what sampling came to", () => {
  it.scoped("is told newest first, page by page, with the share that was decided in time", () =>
    Effect.gen(function* () {
      const context = yield* Layer.build(MemoryReports.layer)
      const now = 1_728_000_000_000
      yield* TestClock.setTime(now)
      const verdictOf = (slot: number, verdict: SlotVerdict["verdict"], decidedAt: number): SlotVerdict => ({
        slot,
        blockRoot: `0x${slot}`,
        blobs: 1,
        verdict,
        reason: "because",
        samples: 8,
        allowedFailures: 0,
        passingProbability: 0.0027,
        present: [1],
        absent: [],
        unanswered: [],
        peers: 8,
        clients: ["teku"],
        startedAt: decidedAt - 100,
        decidedAt,
        decidedAfterMs: 3_000,
        held: 0
      })
      const [seven, eight, nine] = [
        verdictOf(7, "available", now - 3_600_000),
        verdictOf(8, "undetermined", now - 1_000),
        verdictOf(9, "available", now)
      ] as const
      yield* Effect.forEach([seven, eight, nine], Context.get(context, History).recordAvailability, { discard: true })
      const { url } = yield* start({ reports: Context.get(context, Reports) })
      const first = yield* read(`${url}/availability?limit=2`, Availability)
      assert.deepStrictEqual(first.slots, [nine, eight])
      assert.deepStrictEqual([first.blocks, first.available, first.undetermined], [3, 2, 1])
      const share = first.trailing.find(({ deadline, distance }) => distance === 1 && deadline === "attestation")
      assert.deepStrictEqual([share?.decided, share?.share], [2, 2 / 3])
      const rest = yield* read(`${url}/availability?limit=2&cursor=${first.next}`, Availability)
      assert.deepStrictEqual([rest.slots, rest.next], [[seven], null])
      assert.strictEqual((yield* read(`${url}/availability?since=1m`, Availability)).blocks, 2)
    })
  )
})

describe("what was found out", () => {
  it.scoped("is told by slot, column, client and probe; 0 is a slot and a column like any other", () =>
    Effect.gen(function* () {
      const { over, probes } = yield* recorded
      const { setPeers, url } = yield* start(over)
      yield* setPeers([
        peerOf(one, { custody: { groupCount: 1, columns: [0], earliestAvailableSlot: 0, source: "enr" } })
      ])

      const zero = yield* read(`${url}/slots/0`, SlotDetail)
      assert.deepStrictEqual([zero.slot, zero.held, zero.reconstructable], [0, 2, false])
      assert.deepStrictEqual(zero.columns[0], { column: 0, peers: 1, failed: 0, peerIds: [one] })
      const five = yield* read(`${url}/slots/5?limit=0`, SlotDetail)
      assert.deepStrictEqual([five.held, five.reconstructable, five.columns[0]?.peerIds], [64, true, []])

      const { columns } = yield* read(`${url}/columns?since=1d`, Columns)
      assert.strictEqual(columns.length, 128)
      assert.deepInclude(columns[0], { column: 0, claimed: 1, connected: 1, tested: 3, blamed: 1 })
      assert.deepInclude(columns[127], { column: 127, claimed: 0, tested: 0, compliance: null })

      const { clients, versions } = yield* read(`${url}/clients`, Clients)
      assert.deepStrictEqual(
        clients.map(({ blamed, client, tested }) => [client, tested, blamed]),
        [
          ["prysm", 64, 0],
          ["lighthouse", 4, 1]
        ]
      )
      assert.deepStrictEqual(
        versions.map(({ version }) => version),
        ["prysm v6.1.2", "lighthouse v8.0.0"]
      )

      const ids = (query: string) =>
        Effect.map(read(`${url}/probes${query}`, ProbePage), ({ probes }) => probes.map(({ id }) => id.slice(-1)))
      assert.deepStrictEqual(yield* ids(""), ["3", "2", "1"])
      assert.deepStrictEqual(yield* ids(`?peer=${one}`), ["3", "1"])
      assert.deepStrictEqual(yield* ids("?slot=0"), ["1"])
      assert.deepStrictEqual(yield* ids("?column=0"), ["3", "2", "1"])
      assert.deepStrictEqual(yield* ids("?outcome=missing"), ["3"])
      assert.deepStrictEqual(yield* ids("?column=3&outcome=missing"), [])
      const page = yield* read(`${url}/probes?limit=2`, ProbePage)
      assert.deepStrictEqual(yield* ids(`?limit=2&cursor=${page.next}`), ["1"])

      const [, , third] = probes
      assert.deepStrictEqual(yield* read(`${url}/probes/${third?.id}`, Probe), third)
      const gone = yield* failure(`${url}/probes/00000000-0000-4000-8000-000000000009`)
      assert.deepStrictEqual([gone.status, gone.error._tag], [404, "UnknownProbe"])
    })
  )

  it.scoped("is the same as `dasmon report` says", () =>
    Effect.gen(function* () {
      const { over } = yield* recorded
      const { url } = yield* start(over)
      const reports = over.reports
      for (const by of ["peer", "client", "version", "custody", "column", "age", "day"] as const) {
        assert.deepStrictEqual(yield* read(`${url}/report?by=${by}&limit=2`, ReportRows), {
          by,
          ...(yield* reports?.compliance({ by, limit: 2 }) ?? Effect.die("no reports"))
        })
      }
      const untested = yield* read(`${url}/report?by=untested`, ReportRows)
      assert.deepStrictEqual([untested.rows.length, untested.more], [2, false])
      assert.deepStrictEqual(yield* read(`${url}/report?by=worst&since=7d`, ReportRows), {
        by: "worst",
        rows: [],
        more: false
      })
      assert.strictEqual((yield* read(`${url}/report`, ReportRows)).by, "client")
    })
  )

  it.scoped("is not sent again to who has it", () =>
    Effect.gen(function* () {
      const { over } = yield* recorded
      const { url } = yield* start(over)
      for (const path of ["/report?by=day", "/columns", "/clients", "/slots/5", "/openapi.json", "/docs", "/"]) {
        const { headers, status } = yield* get(`${url}${path}`)
        assert.strictEqual(status, 200, path)
        assert.strictEqual(headers["cache-control"], "no-cache", path)
        const etag = headers["etag"] ?? ""
        const again = yield* get(`${url}${path}`, { headers: { "if-none-match": `"other", W/${etag}` } })
        assert.deepStrictEqual([again.status, again.text, again.headers["etag"]], [304, "", etag], path)
        assert.strictEqual((yield* get(`${url}${path}`, { headers: { "if-none-match": '"other"' } })).status, 200)
      }
      for (const path of ["/status", "/peers", "/probes", "/healthz"]) {
        assert.strictEqual((yield* get(`${url}${path}`)).headers["cache-control"], "no-store", path)
      }
    })
  )

  it.scoped("cannot be told while the history cannot be asked, and that is said", () =>
    Effect.gen(function* () {
      const failing = (fault: ReportError["fault"]) =>
        Effect.gen(function* () {
          const none = yield* Effect.provide(Reports, Reports.layerNone)
          const reports = { ...none, compliance: () => new ReportError({ fault, reason: "so it is" }) }
          const { url } = yield* start({ reports })
          const { error, headers, status } = yield* failure(`${url}/columns`)
          return [status, error._tag, headers["retry-after"]]
        })
      assert.deepStrictEqual(yield* failing("unreadable"), [503, "HistoryUnavailable", undefined])
      assert.deepStrictEqual(yield* failing("failed"), [503, "HistoryUnavailable", undefined])
      assert.deepStrictEqual(yield* failing("late"), [504, "HistoryTooSlow", undefined])
      assert.deepStrictEqual(yield* failing("busy"), [429, "HistoryBusy", "1"])
    })
  )
})

describe("a parameter", () => {
  it.scoped("that is wrong, unknown or given twice is refused, with what is allowed and without what was sent", () =>
    Effect.gen(function* () {
      const { url } = yield* start()
      const marker = "zzzzzz"
      const cases: ReadonlyArray<readonly [path: string, parameter: string, place: "path" | "query", reason: RegExp]> =
        [
          [
            `/peers?verdikt=${marker}`,
            "verdikt",
            "query",
            /no such parameter: this path takes verdict, client, column/
          ],
          [`/peers?verdict=${marker}`, "verdict", "query", /^must be one of compliant, violating/],
          [`/peers?column=128`, "column", "query", /^must be a whole number from 0 to 127$/],
          [`/peers?column=`, "column", "query", /whole number/],
          [`/peers?column=1e1`, "column", "query", /whole number/],
          [`/peers?column=-1`, "column", "query", /whole number/],
          [`/peers?limit=0`, "limit", "query", /from 1 to 1000/],
          [`/peers?connected=yes`, "connected", "query", /^must be true or false$/],
          [`/peers?column=1&column=2`, "column", "query", /more than once/],
          [`/peers?cursor=${marker}`, "cursor", "query", /peer id/],
          [`/peers/${marker}`, "peerId", "path", /peer id/],
          [`/peers/${"a".repeat(100)}`, "peerId", "path", /peer id/],
          [`/status?x=1`, "x", "query", /takes none/],
          [`/slots/-1`, "slot", "path", /from 0 to 2147483648/],
          [`/slots/${marker}`, "slot", "path", /whole number/],
          [`/report?by=${marker}`, "by", "query", /^must be one of peer, client/],
          [`/report?since=7`, "since", "query", /^must be a duration/],
          [`/probes?outcome=${marker}`, "outcome", "query", /success, missing/],
          [`/probes/${marker}`, "id", "path", /UUID/],
          [`/probes?cursor=0`, "cursor", "query", /whole number/],
          [`/columns?${"n".repeat(3000)}=1`, "n".repeat(50), "query", /takes since$/]
        ]
      for (const [path, parameter, place, reason] of cases) {
        const { error, status } = yield* failure(`${url}${path}`)
        assert.deepInclude({ ...error }, { _tag: "BadParameter", parameter, in: place }, path)
        assert.strictEqual(status, 400)
        assert.match(error._tag === "BadParameter" ? error.reason : "", reason, path)
        assert.notInclude(JSON.stringify(error), marker)
        assert.isBelow(JSON.stringify(error).length, 400)
      }
      const posted = yield* failure(`${url}/peers/${marker}/probe`, "POST")
      assert.deepStrictEqual([posted.status, posted.error._tag], [400, "BadParameter"])
      const wrong = yield* failure(`${url}/peers/${one}/probe`)
      assert.deepStrictEqual(
        [wrong.status, wrong.error._tag, wrong.headers["allow"]],
        [405, "MethodNotAllowed", "POST"]
      )
    })
  )
})

describe("a probe on demand", () => {
  it.scoped("is answered with the probe, or with why it was not made", () =>
    Effect.gen(function* () {
      const made = probeOf(one, { outcomes: [{ ...outcome(0, 0, "success") }] })
      const answers = new Map<string, Effect.Effect<Probe, OnDemand.NotProbed>>([["made", Effect.succeed(made)]])
      const errors: ReadonlyArray<readonly [OnDemand.NotProbed, number, string | undefined]> = [
        [new OnDemand.UnknownPeer({ peerId: one }), 404, undefined],
        [new OnDemand.NotConnected({ peerId: one }), 409, undefined],
        [new OnDemand.NothingToAsk({ peerId: one, reason: "nothing" }), 409, undefined],
        [new OnDemand.TooSoon({ peerId: one, retryAfterSeconds: 17 }), 429, "17"],
        [new OnDemand.TooManyWaiting({ limit: 64, retryAfterSeconds: 1 }), 429, "1"],
        [new OnDemand.ProbeTookTooLong({ peerId: one, afterSeconds: 45 }), 504, undefined]
      ]
      const { url } = yield* start({ probeNow: () => answers.get("made") ?? Effect.die("no answer") })
      const path = `${url}/peers/${one}/probe`
      const { status, text } = yield* get(path, { method: "POST" })
      assert.strictEqual(status, 200)
      assert.deepStrictEqual(yield* Schema.decode(Schema.parseJson(Probe), strict)(text), made)
      for (const [error, expected, retryAfter] of errors) {
        answers.set("made", error)
        const answer = yield* failure(path, "POST")
        assert.deepStrictEqual([answer.status, answer.headers["retry-after"]], [expected, retryAfter], error._tag)
        assert.strictEqual(answer.error._tag, error._tag)
      }
    })
  )
})

describe("/healthz and /readyz", () => {
  it.scopedLive("tell whether the program lives, and whether it can do its work", () =>
    Effect.gen(function* () {
      const dead: Array<string> = []
      const { setStatus, url } = yield* start({ dead: Effect.sync(() => [...dead]) })
      const ready = Effect.map(failure(`${url}/readyz`), ({ error, status }) => {
        assert.strictEqual(status, 503)
        return error._tag === "NotReady" ? error.reasons : []
      })
      yield* setStatus(statusOf({ commitments: { known: 0, wanted: 0, unknown: 0, oldest: null } }))
      assert.match((yield* ready).join(), /head of the chain is not known/)
      yield* setStatus(statusOf({ history: { state: "paused", reason: "/secret/path: full", queued: 9 } }))
      assert.match((yield* ready).join(), /^the history is not recorded/)
      assert.notInclude((yield* ready).join(), "secret")
      yield* setStatus(statusOf({ doubts: ["the clock is wrong"] }))
      assert.deepStrictEqual(yield* ready, ["the clock is wrong"])
      yield* setStatus(statusOf({}))
      assert.strictEqual((yield* get(`${url}/readyz`)).text, '{"status":"ready"}')

      assert.strictEqual((yield* get(`${url}/healthz`)).text, '{"status":"alive"}')
      dead.push("a fiber")
      const { error, status } = yield* failure(`${url}/healthz`)
      assert.deepStrictEqual([status, { ...error }], [503, { _tag: "NotAlive", reasons: ["a fiber"] }])
    })
  )
})
