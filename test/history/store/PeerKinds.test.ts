import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, Schema } from "effect"
import { HistoryRecord } from "../../../src/history/store/HistoryRecord.ts"
import { openDatabase } from "../../../src/history/store/sqlite/Database.ts"
import { makeWriter } from "../../../src/history/store/sqlite/SqliteWriter.ts"
import { claim, network, outcome, probe, rows, temporaryFolder } from "./Fixture.ts"

const day = 19_700
const at = (n: number) => day * 86_400_000 + n * 1000

/** A probe of a peer that calls itself something and claims something just before. */
const asSomebody = (peerId: string, n: number, agent: string, custodyGroupCount: number) => [
  HistoryRecord.Peer({ peerId, agent: Option.some(agent), address: Option.none(), at: at(n) }),
  HistoryRecord.Claim({ peerId, claim: claim({ custodyGroupCount, observedAt: at(n) }) }),
  HistoryRecord.Probe({
    probe: probe(`${peerId} ${n}`, peerId, [outcome(1000 + n, 1, "success")], { finishedAt: at(n) }),
    conversation: "answered",
    coverage: Option.none()
  })
]

const count = (path: string, what: string) =>
  rows(path, `SELECT (SELECT ${what}) AS count`).pipe(
    Effect.flatMap(Schema.decodeUnknown(Schema.Tuple(Schema.Struct({ count: Schema.Number })))),
    Effect.map(([{ count }]) => count)
  )

describe("what the sums grow by", () => {
  it.scoped("is the same for a peer that is another one with every probe; nothing of it is lost", () =>
    Effect.gen(function* () {
      const path = join(yield* temporaryFolder, "history.db")
      const writer = yield* makeWriter(yield* openDatabase(path, network))
      for (let n = 0; n < 60; n++) yield* writer.write(asSomebody("liar", n, `Agent/${n}`, 4 + (n % 100)))
      yield* writer.write(asSomebody("honest", 0, "Honest/1", 8))
      const ofLiar = "FROM sums WHERE peer = (SELECT id FROM peers WHERE peer_id = 'liar')"
      assert.strictEqual(yield* count(path, `count(*) ${ofLiar}`), 8)
      assert.strictEqual(yield* count(path, `sum(probes) ${ofLiar}`), 60)
      assert.strictEqual(yield* count(path, "count(*) FROM agents"), 9)
      assert.deepStrictEqual(
        yield* rows(
          path,
          `SELECT agents.agent, custody_group_count AS groups FROM sums JOIN agents ON agents.id = sums.agent
          WHERE peer = (SELECT id FROM peers WHERE peer_id = 'honest')`
        ),
        [{ agent: "Honest/1", groups: 8 }]
      )
    })
  )

  it.scoped("is bounded for very many that each call themselves something else", () =>
    Effect.gen(function* () {
      const path = join(yield* temporaryFolder, "history.db")
      const sql = yield* openDatabase(path, network)
      const writer = yield* makeWriter(sql)
      yield* writer.write(asSomebody("early", 0, "Early/1", 4))
      yield* sql.unsafe(
        `WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 4095)
        INSERT INTO agents (agent, day) SELECT 'Agent/' || n, ${day} FROM n`
      )
      for (let n = 0; n < 20; n++) yield* writer.write(asSomebody(`flood${n}`, n, `Flood/${n}`, 4))
      yield* writer.write(asSomebody("early", 1, "Early/1", 4))
      assert.strictEqual(yield* count(path, "count(*) FROM agents"), 4097)
      const probesOf = (agent: string) =>
        count(path, `sum(probes) FROM sums WHERE agent = (SELECT id FROM agents WHERE agent = '${agent}')`)
      assert.strictEqual(yield* probesOf("other"), 20)
      assert.strictEqual(yield* probesOf("Early/1"), 2)
    })
  )
})
