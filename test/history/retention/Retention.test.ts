import { stat } from "node:fs/promises"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Clock, Duration, Effect, Option, Schema, TestClock } from "effect"
import { unrestrained } from "../../../src/domain/peer/Restraint.ts"
import { neutralScore } from "../../../src/domain/peer/Score.ts"
import { noEvasion } from "../../../src/domain/peer/Evasion.ts"
import { openDatabase } from "../../../src/history/store/sqlite/Database.ts"
import { History } from "../../../src/history/store/History.ts"
import { HistoryRecord } from "../../../src/history/store/HistoryRecord.ts"
import { keepToRetention, retentionPass } from "../../../src/history/retention/Retention.ts"
import { layer } from "../../../src/history/store/SqliteHistory.ts"
import { makeReader } from "../../../src/history/store/sqlite/SqliteReader.ts"
import { makeWriter } from "../../../src/history/store/sqlite/SqliteWriter.ts"
import { Daemons } from "../../../src/runtime/Daemon.ts"
import { claim, network, outcome, probe, rows, temporaryFolder, testedSlots } from "../store/Fixture.ts"
import { eventually } from "../../Eventually.ts"

const dayMs = 86_400_000
const firstDay = 19_700
const retention = Duration.days(3)

/** The clock of this machine, so far ahead or behind that it is `unixMs` as the effect begins. */
const at =
  (unixMs: number) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> => {
    const real = Clock.make()
    const ahead = unixMs - Date.now()
    const shifted: Clock.Clock = {
      [Clock.ClockTypeId]: Clock.ClockTypeId,
      sleep: (duration) => real.sleep(duration),
      currentTimeNanos: real.currentTimeNanos,
      unsafeCurrentTimeNanos: () => real.unsafeCurrentTimeNanos(),
      unsafeCurrentTimeMillis: () => Date.now() + ahead,
      currentTimeMillis: Effect.sync(() => Date.now() + ahead)
    }
    return Effect.withClock(effect, shifted)
  }

const slotAt = (unixMs: number): number => Math.floor((unixMs - network.genesisTime * 1000) / network.slotDurationMs)

/** A probe of a slot of the day before, which ends at `unixMs`; every seventh fails with a long reason. */
const probeAt = (id: string, peerId: string, unixMs: number, nth: number) => {
  const slot = slotAt(Math.floor(unixMs / dayMs) * dayMs) - 1 - (nth % 50)
  const columns = [1, 9, 17, 33, 65, 66, 90, 127]
  const kind = nth % 7 === 0 ? "missing" : "success"
  return probe(
    id,
    peerId,
    columns.map((column) =>
      outcome(slot, column, kind, kind === "missing" ? `${column}: ${"why ".repeat(20)}` : undefined)
    ),
    { startedAt: unixMs - 500, finishedAt: unixMs }
  )
}

const database = (path: string) =>
  Effect.gen(function* () {
    const sql = yield* openDatabase(path, network)
    const writer = yield* makeWriter(sql)
    return { sql, writer, reader: makeReader(sql), pass: retentionPass(sql, writer, { network, retention }) }
  })

const fileSize = (path: string) =>
  Effect.map(
    Effect.promise(() => stat(path)),
    ({ size }) => size
  )

const count = (path: string, table: string) =>
  rows(path, `SELECT count(*) AS count FROM ${table}`).pipe(
    Effect.flatMap(Schema.decodeUnknown(Schema.Tuple(Schema.Struct({ count: Schema.Number })))),
    Effect.map(([{ count }]) => count)
  )

describe("retention", () => {
  it.scoped(
    "has the file stop growing, and shrink when less is recorded; what is inside the window stays as it was",
    () =>
      Effect.gen(function* () {
        const path = join(yield* temporaryFolder, "history.db")
        const { pass, reader, sql, writer } = yield* database(path)
        const sizes: Array<number> = []
        const perDay = (day: number) => (day < 6 ? 500 : 20)
        const live = yield* Effect.forEach(
          Array.from({ length: 10 }, (_, day) => day),
          (day) =>
            Effect.gen(function* () {
              const probes = Array.from({ length: perDay(day) }, (_, n) =>
                probeAt(`${day}-${n}`, `peer${n % 20}`, (firstDay + day + (n + 0.5) / perDay(day)) * dayMs, n)
              )
              yield* writer.write(
                probes.map((probe) => HistoryRecord.Probe({ probe, conversation: "answered", coverage: Option.none() }))
              )
              yield* at((firstDay + day + 1) * dayMs)(pass)
              yield* sql.unsafe("PRAGMA wal_checkpoint(TRUNCATE)")
              sizes.push(yield* fileSize(path))
              return probes
            })
        )
        const end = (firstDay + 10) * dayMs
        const kept = live.flat().filter(({ finishedAt }) => finishedAt >= end - 3 * dayMs)
        assert.strictEqual(kept.length, 60)
        assert.strictEqual(yield* count(path, "probes"), kept.length)
        for (const probe of kept) assert.deepStrictEqual(yield* reader.probe(probe.id), Option.some(probe))
        assert.strictEqual(yield* count(path, "failures WHERE probe NOT IN (SELECT id FROM probes)"), 0)
        assert.isAbove(yield* count(path, "failures"), 0)
        for (const table of ["sums", "column_sums", "age_sums"]) {
          assert.deepStrictEqual(
            yield* rows(path, `SELECT DISTINCT day - ${firstDay} AS day FROM ${table} ORDER BY 1`),
            [{ day: 7 }, { day: 8 }, { day: 9 }]
          )
        }
        const peak = Math.max(...sizes)
        assert.isBelow((sizes[5] ?? peak) / (sizes[3] ?? 0), 1.1, sizes.join(" "))
        assert.isBelow((sizes.at(-1) ?? peak) / peak, 0.5, sizes.join(" "))
        assert.deepStrictEqual(yield* rows(path, "SELECT * FROM pragma_integrity_check"), [{ integrity_check: "ok" }])
        // The numbers of rows that were deleted are not used again for what comes.
        const next = probeAt("next", "peer1", end, 0)
        yield* writer.write([HistoryRecord.Probe({ probe: next, conversation: "answered", coverage: Option.none() })])
        assert.deepStrictEqual(yield* reader.probe("next"), Option.some(next))
      })
  )

  it.scoped("keeps coverage as long as a slot of the chunk is within it, and the claims by which it is judged", () =>
    Effect.gen(function* () {
      const path = join(yield* temporaryFolder, "history.db")
      const { pass, reader, writer } = yield* database(path)
      const now = (firstDay + 30) * dayMs
      const edge = slotAt(now - 3 * dayMs)
      const slots = [edge - 300, edge - 128, edge, edge + 128]
      const moments = [-29, -28, -25, -21, -19, -2].map((days) => now + days * dayMs)
      yield* writer.write([
        HistoryRecord.Orphan({ slot: edge - 400, root: "0x01", at: 5 }),
        HistoryRecord.Orphan({ slot: edge, root: "0x01", at: 5 }),
        HistoryRecord.Probe({
          probe: probe(
            "p",
            "a",
            slots.map((slot) => outcome(slot, 1, "success")),
            { finishedAt: now - 1000 }
          ),
          conversation: "answered",
          coverage: Option.none()
        }),
        ...moments.map((observedAt, n) =>
          HistoryRecord.Claim({ peerId: "a", claim: claim({ custodyGroupCount: 4 + n, observedAt }) })
        )
      ])
      yield* at(now)(pass)
      const tested = testedSlots(yield* reader.coverage("a", 0)).map(({ slot }) => slot)
      assert.deepStrictEqual(
        tested,
        slots.filter((slot) => Math.floor(slot / 128) >= Math.floor(edge / 128))
      )
      assert.include(tested, edge)
      assert.notInclude(tested, edge - 300)
      assert.deepStrictEqual(yield* rows(path, "SELECT slot FROM orphans"), [{ slot: edge }])
      // Peers must serve 4096 epochs: the claim in force 19 days and some ago is the oldest that can matter.
      assert.deepStrictEqual(
        (yield* reader.claims("a")).map(({ observedAt }) => (observedAt - now) / dayMs),
        [-21, -19, -2]
      )
      assert.strictEqual(yield* count(path, "blocks"), 4)
    })
  )

  it.scoped("forgets peers, agents and blocks of which nothing is left, and nobody sooner", () =>
    Effect.gen(function* () {
      const path = join(yield* temporaryFolder, "history.db")
      const { pass, reader, writer } = yield* database(path)
      const day = (n: number) => at((firstDay + n) * dayMs)
      const meet = (peerId: string, n: number) =>
        day(n)(
          writer.write([
            HistoryRecord.Peer({
              peerId,
              agent: Option.some(`agent of ${peerId}`),
              address: Option.none(),
              at: (firstDay + n) * dayMs
            }),
            HistoryRecord.Claim({ peerId, claim: claim({ observedAt: (firstDay + n) * dayMs }) }),
            HistoryRecord.Findings({ peerId, findings: { claim_mismatch: 1 } }),
            HistoryRecord.Standing({
              peerId,
              standing: {
                suspicions: [],
                evasion: { ...noEvasion, asked: Math.floor(n) },
                restraint: unrestrained,
                score: neutralScore
              }
            }),
            HistoryRecord.Probe({
              probe: probeAt(`${peerId}${n}`, peerId, (firstDay + n) * dayMs, 7),
              conversation: "answered",
              coverage: Option.none()
            })
          ])
        )
      yield* meet("stays", 0)
      yield* meet("leaves", 0)
      yield* meet("stays", 4)
      yield* day(4.9)(pass)
      assert.strictEqual(yield* count(path, "peers"), 2, "two days after the last probe went")
      assert.strictEqual((yield* reader.claims("leaves")).length, 1)
      yield* day(5.1)(pass)
      assert.deepStrictEqual(yield* rows(path, "SELECT peer_id FROM peers"), [{ peer_id: "stays" }])
      assert.deepStrictEqual(yield* rows(path, "SELECT agent FROM agents"), [{ agent: "agent of stays" }])
      assert.strictEqual(yield* count(path, "findings"), 1)
      assert.strictEqual(yield* count(path, "standings"), 1)
      assert.strictEqual((yield* reader.peer("stays")).standing.evasion.asked, 4)
      assert.strictEqual(yield* count(path, "blocks"), 2, "nobody knows yet that no probe needs them")
      assert.strictEqual((yield* reader.peer("stays")).outcomes.missing, 16)
      yield* meet("leaves", 5.2)
      assert.strictEqual((yield* reader.peer("leaves")).outcomes.missing, 8, "as a peer that was never met")
      yield* day(27)(pass)
      assert.strictEqual(yield* count(path, "peers"), 0)
      assert.strictEqual(yield* count(path, "blocks"), 1)
    })
  )

  it.scoped("forgets whom nothing was tested of within a day, and of very many the oldest at once", () =>
    Effect.gen(function* () {
      const path = join(yield* temporaryFolder, "history.db")
      const { pass, reader, sql, writer } = yield* database(path)
      const day = (n: number) => at((firstDay + n) * dayMs)
      const comes = (peerId: string, n: number) => [
        HistoryRecord.Peer({ peerId, agent: Option.none(), address: Option.none(), at: (firstDay + n) * dayMs }),
        HistoryRecord.Claim({ peerId, claim: claim({ observedAt: (firstDay + n) * dayMs }) })
      ]
      yield* day(1)(writer.write([...comes("once", 1), ...comes("again", 1), ...comes("tested", 1)]))
      yield* day(1)(
        writer.write([
          HistoryRecord.Probe({
            probe: probeAt("p", "tested", (firstDay + 1) * dayMs, 1),
            conversation: "answered",
            coverage: Option.none()
          })
        ])
      )
      yield* day(1.9)(writer.write(comes("again", 1.9)))
      yield* day(2.1)(pass)
      assert.deepStrictEqual(yield* rows(path, "SELECT peer_id FROM peers ORDER BY id"), [
        { peer_id: "again" },
        { peer_id: "tested" }
      ])
      assert.deepStrictEqual(yield* reader.claims("once"), [])
      assert.lengthOf(yield* reader.claims("again"), 1)

      yield* sql.unsafe(
        `WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 12000)
        INSERT INTO peers (peer_id, recorded_at) SELECT 'flood' || n, ${(firstDay + 2) * dayMs} + n FROM n`
      )
      yield* day(2.15)(pass)
      assert.isAtMost(yield* count(path, "peers"), 10_002)
      assert.deepStrictEqual(
        yield* rows(path, "SELECT peer_id FROM peers WHERE peer_id IN ('flood1', 'flood12000', 'tested') ORDER BY 1"),
        [{ peer_id: "flood12000" }, { peer_id: "tested" }]
      )
    })
  )

  it.scoped("goes on after a defect in the middle of it", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime((firstDay + 10) * dayMs)
      const path = join(yield* temporaryFolder, "history.db")
      const { sql, writer } = yield* database(path)
      const old = firstDay * dayMs
      const recordOld = (id: string) =>
        writer.write([
          HistoryRecord.Probe({ probe: probeAt(id, "a", old, 1), conversation: "answered", coverage: Option.none() }),
          HistoryRecord.Peer({ peerId: "a", agent: Option.some(`agent ${id}`), address: Option.none(), at: old })
        ])
      yield* recordOld("first")
      const trap = yield* Effect.once(Effect.dieMessage("an injected defect"))
      const forget = Effect.zipRight(trap, writer.forget)
      yield* keepToRetention(sql, { ...writer, forget }, { network, retention })
      yield* Effect.repeatN(TestClock.adjust("1 second"), 10)
      assert.strictEqual(yield* Effect.flatMap(Daemons, ({ failures }) => failures), 1)
      assert.strictEqual(yield* count(path, "agents"), 0)
      yield* recordOld("second")
      yield* Effect.repeatN(TestClock.adjust("1 minute"), 11)
      assert.strictEqual(yield* count(path, "probes"), 0)
    }).pipe(Effect.provide(Daemons.layer))
  )

  it.scopedLive("is kept to by the history itself", () =>
    Effect.gen(function* () {
      const path = join(yield* temporaryFolder, "history.db")
      const now = Date.now()
      const record = Effect.flatMap(History, (history) =>
        Effect.forEach([0, 1, 5], (days) =>
          history.recordProbe(probeAt(`${days}`, "a", now - days * dayMs, 1), "answered")
        )
      )
      yield* Effect.provide(record, layer({ path, network, retention: Duration.days(20) }))
      assert.strictEqual(yield* count(path, "probes"), 3)
      yield* Effect.provide(
        eventually(Effect.map(count(path, "probes"), (left) => left === 2)),
        layer({ path, network, retention })
      )
    })
  )
})
