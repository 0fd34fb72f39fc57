import assert from "node:assert/strict"
import { execFile } from "node:child_process"
import { readFileSync, writeFileSync } from "node:fs"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { Effect, Option } from "effect"
import { fromHex } from "../../src/domain/Bytes.ts"
import type { Outcome, Probe } from "../../src/domain/probe/Job.ts"
import { Reports } from "../../src/history/report/Reports.ts"
import * as ReportsInline from "../../src/history/report/ReportsInline.ts"
import * as ReportsWorker from "../../src/history/report/ReportsWorker.ts"
import { History } from "../../src/history/store/History.ts"
import { openSqlite } from "../../src/history/store/sqlite/Sqlite.ts"
import * as SqliteHistory from "../../src/history/store/SqliteHistory.ts"
import { type SidecarToVerify, Verifier } from "../../src/kzg/Verifier.ts"
import { layerWorkers } from "../../src/kzg/WorkerVerifier.ts"
import { collectAll, countCollections } from "./Collect.ts"

/** The root of the checkout, seen from `build/scripts/smoke`. */
const root = new URL("../../../", import.meta.url)
const now = Date.now()
const network = {
  network: "smoke",
  genesisTime: Math.floor(now / 1000) - 86_400,
  genesisValidatorsRoot: new Uint8Array(32),
  slotDurationMs: 12_000,
  slotsPerEpoch: 32,
  retentionEpochs: 4096
}
const sessions = 4
const probesOfSession = 40

const probeOf = (n: number): Probe => {
  const columns = [n % 128, (n + 64) % 128].sort((a, b) => a - b)
  const slots = [0, 1, 2, 3].map((index) => 1000 + 4 * n + index)
  const outcomes = slots.flatMap((slot) =>
    columns.map((column): Outcome => {
      const of = { slot, column, blockRoot: `0x${slot.toString(16).padStart(64, "0")}`, blobs: slot % 7 }
      return slot % 5 === 0 ? { ...of, outcome: "missing", reason: `no ${column}` } : { ...of, outcome: "success" }
    })
  )
  return {
    id: `probe-${n}`,
    purpose: "sampling",
    job: { peerId: `peer-${n % 7}`, startSlot: 1000 + 4 * n, count: 4, columns },
    startedAt: now + n,
    finishedAt: now + n,
    timings: { open: 1, firstByte: 2, total: 3 },
    requests: 1,
    bytes: 1000 + n,
    outcomes,
    recovered: 0,
    findings: []
  }
}

const readBack = (to: number) =>
  Effect.flatMap(History, (history) =>
    Effect.gen(function* () {
      for (let n = 0; n < to; n++) assert.deepEqual(yield* history.probe(`probe-${n}`), Option.some(probeOf(n)))
      assert.equal((yield* history.totals).probes, to)
    })
  )

/** One run of a monitor: opens, reads, records, is asked, closes. */
const session = (path: string, number: number) =>
  Effect.gen(function* () {
    const history = yield* History
    const begin = number * probesOfSession
    yield* readBack(begin)
    for (let n = begin; n < begin + probesOfSession; n++) {
      yield* history.recordPeer(`peer-${n % 7}`, {
        agent: Option.some(`client/v${n % 3}`),
        address: Option.none(),
        at: now + n
      })
      yield* history.recordProbe(probeOf(n), "answered", { owed: 1000, tested: 8 + n, failed: 0 })
      if (n % 8 === 0) yield* history.flush
      if (n % 16 === 0) yield* Effect.promise(collectAll)
    }
    yield* history.flush
    yield* Effect.provide(ask(begin + probesOfSession), ReportsInline.layer({ path }))
  }).pipe(Effect.provide(SqliteHistory.layer({ path, network })))

const ask = (probes: number) =>
  Effect.gen(function* () {
    const reports = yield* Reports
    assert.equal((yield* reports.extent).probes, probes)
    assert.equal((yield* reports.peerDays({ peerId: "peer-1" })).length, 1)
    yield* reports.compliance({ by: "client" })
    yield* reports.worst({})
    yield* reports.slot({ slot: 1000 })
    yield* reports.probes({ outcome: "missing" })
    yield* reports.failures({ peerId: "peer-1" })
  })

/** Threads that open, answer, lose their file, open again and end. */
const threads = (folder: string, path: string) =>
  Effect.gen(function* () {
    const entry = new URL("dist/history/report/ReportWorker.js", root)
    const damaged = join(folder, "damaged.db")
    writeFileSync(damaged, Buffer.alloc(8192, 7))
    for (let n = 0; n < 2; n++) {
      yield* Effect.provide(ask(sessions * probesOfSession), ReportsWorker.layer({ path, entry }))
      yield* Effect.gen(function* () {
        const reports = yield* Reports
        for (let n = 0; n < 150; n++) yield* Effect.flip(reports.extent)
      }).pipe(Effect.provide(ReportsWorker.layer({ path: damaged, entry })))
      yield* Effect.promise(collectAll)
    }
  })

const integrity = (path: string) =>
  Effect.gen(function* () {
    const sql = yield* openSqlite(path, { readonly: true })
    assert.deepEqual(yield* sql.unsafe("PRAGMA integrity_check"), [{ integrity_check: "ok" }])
  }).pipe(Effect.scoped)

/** By the report command of the program itself. */
const program = async (path: string): Promise<void> => {
  const main = fileURLToPath(new URL("dist/main.js", root))
  const parameters = [main, "report", "--db", path, "--by", "peer", "--format", "json"]
  const { stdout } = await promisify(execFile)(process.execPath, parameters)
  assert.match(stdout, /peer-6/)
}

/** In verifier threads: a column that is true, and the same with a bit flipped in a cell. */
const verifyColumns = Effect.gen(function* () {
  const folder = new URL("test/vectors/sidecars/six_blobs/", root)
  const meta: { readonly slot: number; readonly block_root: string; readonly kzg_commitments: ReadonlyArray<string> } =
    JSON.parse(readFileSync(new URL("meta.json", folder), "utf8"))
  const good: SidecarToVerify = {
    fork: "fulu",
    ssz: new Uint8Array(readFileSync(new URL("fulu_column_63.ssz", folder))),
    slot: meta.slot,
    blockRoot: fromHex(meta.block_root),
    commitments: meta.kzg_commitments.map(fromHex),
    maxBlobsPerBlock: 21
  }
  const bad = { ...good, ssz: good.ssz.map((byte, index) => (index === 3000 ? byte ^ 1 : byte)) }
  const { verify } = yield* Verifier
  const verdicts = yield* verify([good, bad])
  assert.deepEqual(
    verdicts.map((verdict) => (verdict._tag === "Invalid" ? verdict.check : verdict._tag)),
    ["Valid", "kzg_proof"]
  )
}).pipe(Effect.provide(layerWorkers({ entry: new URL("dist/kzg/KzgWorker.js", root) })))

const step = async (name: string, work: () => Promise<unknown>): Promise<void> => {
  const since = performance.now()
  await work()
  console.log(`ok   ${name} (${Math.round(performance.now() - since)} ms)`)
}

const collections = countCollections()
const folder = await mkdtemp(join(tmpdir(), "dasmon-smoke-"))
try {
  const path = join(folder, "history.db")
  const run = <E>(effect: Effect.Effect<unknown, E>) => Effect.runPromise(effect)
  await step(`${sessions} histories, one after the other on one file`, async () => {
    for (let number = 0; number < sessions; number++) {
      await run(session(path, number))
      await collectAll()
    }
  })
  await step("report threads", () => run(threads(folder, path)))
  await step("all of it is there, and the file is whole", async () => {
    await run(Effect.provide(readBack(sessions * probesOfSession), SqliteHistory.layer({ path, network })))
    await run(integrity(path))
  })
  await step("dasmon report", () => program(path))
  await step("KZG proofs, in threads", () => run(verifyColumns))
  await collectAll()
  assert.ok(collections.count > 100, `only ${collections.count} collections`)
  console.log(`     (${collections.count} collections in the main thread)`)
} finally {
  await rm(folder, { recursive: true, force: true })
}
