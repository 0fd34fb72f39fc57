import { spawn } from "node:child_process"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, Random, Schema } from "effect"
import { outcomeKinds } from "../../../src/domain/probe/Outcome.ts"
import { History } from "../../../src/history/store/History.ts"
import { layer as layerMemory } from "../../../src/history/store/MemoryHistory.ts"
import { layer } from "../../../src/history/store/SqliteHistory.ts"
import { connect, temporaryFolder } from "./Fixture.ts"
import { eventually } from "../../Eventually.ts"

const script = fileURLToPath(new URL("KilledWriter.mjs", import.meta.url))

/** Starts a writer; ends with it dead. */
const writer = (path: string, acknowledged: string, prefix: string) =>
  Effect.acquireRelease(
    Effect.sync(() => spawn(process.execPath, [script, path, acknowledged, prefix], { stdio: "inherit" })),
    (child) =>
      Effect.async<void>((resume) => {
        if (child.exitCode !== null || child.signalCode !== null) return resume(Effect.void)
        child.once("exit", () => resume(Effect.void))
        child.kill("SIGKILL")
      })
  )

const acknowledgements = (file: string) =>
  Effect.promise(() => readFile(file, "utf8").catch(() => "")).pipe(
    Effect.map((text) =>
      text
        .split("\n")
        .slice(0, -1)
        .map((line) => line.split(" "))
        .map(([id = "", at]) => ({ id, at: Number(at) }))
    )
  )

/** Lets a writer record `count` probes and some, and kills it at work. */
const writeAndKill = (path: string, acknowledged: string, prefix: string, count: number) =>
  Effect.gen(function* () {
    yield* writer(path, acknowledged, prefix)
    yield* recorded(acknowledged, prefix, count)
  }).pipe(Effect.scoped)

/** Waits until `count` probes with this prefix are acknowledged. */
const recorded = (acknowledged: string, prefix: string, count: number) =>
  eventually(
    Effect.map(
      acknowledgements(acknowledged),
      (all) => all.filter(({ id }) => id.startsWith(`${prefix}-`)).length >= count
    ),
    "30 seconds"
  )

const number = (path: string, query: string) =>
  connect(path, true).pipe(
    Effect.flatMap((sql) => sql.unsafe(query)),
    Effect.flatMap(Schema.decodeUnknown(Schema.Tuple(Schema.Struct({ value: Schema.Number })))),
    Effect.map(([{ value }]) => value),
    Effect.scoped
  )

const strings = (path: string, query: string) =>
  connect(path, true).pipe(
    Effect.flatMap((sql) => sql.unsafe(query)),
    Effect.flatMap(Schema.decodeUnknown(Schema.Array(Schema.Struct({ value: Schema.String })))),
    Effect.map((rows) => rows.map(({ value }) => value)),
    Effect.scoped
  )

describe("a history whose writer is killed", () => {
  it.scopedLive("opens again, whole, and lacks at most what the last 250 ms brought", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const path = join(folder, "history.db")
      const acknowledged = join(folder, "acknowledged")
      for (const round of [1, 2, 3, 4]) {
        yield* writeAndKill(path, acknowledged, `${round}`, yield* Random.nextIntBetween(1, 200))
        // Opens although nobody unlocked it; a second process could not while the first one lived.
        yield* Effect.provide(
          Effect.flatMap(History, (history) => history.totals),
          layer({ path })
        )
        assert.deepStrictEqual(yield* strings(path, "SELECT integrity_check AS value FROM pragma_integrity_check"), [
          "ok"
        ])
        const present = yield* strings(
          path,
          `SELECT uuid AS value FROM probes WHERE uuid LIKE '${round}-%' ORDER BY id`
        )
        assert.deepStrictEqual(
          present,
          present.map((_, n) => `${round}-${n}`),
          "in order, without a gap"
        )
        const all = (yield* acknowledgements(acknowledged)).filter(({ id }) => id.startsWith(`${round}-`))
        const killedAt = all.at(-1)?.at ?? 0
        const due = all.filter(({ at }) => at < killedAt - 250)
        assert.isAtLeast(present.length, due.length, "acknowledged 250 ms before the kill")
      }
      yield* checkWhole(path)
    }).pipe(Effect.withRandom(Random.make("kill -9")))
  )

  it.scopedLive("cannot be opened by another process while the writer lives", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const path = join(folder, "history.db")
      const refused = yield* Effect.gen(function* () {
        const acknowledged = join(folder, "acknowledged")
        yield* writer(path, acknowledged, "1")
        yield* recorded(acknowledged, "1", 1)
        return yield* Effect.flip(Effect.provide(History, layer({ path })))
      }).pipe(Effect.scoped)
      assert.include(refused.message, "another process is writing to it")
      yield* Effect.provide(History, layer({ path }))
    })
  )
})

/** All sums are those of their parts, and coverage is what the outcomes make it. */
const checkWhole = (path: string) =>
  Effect.gen(function* () {
    for (const kind of outcomeKinds) {
      const total = yield* number(path, `SELECT ${kind} AS value FROM totals`)
      assert.strictEqual(yield* number(path, `SELECT sum(${kind}) AS value FROM probes`), total, kind)
      assert.strictEqual(yield* number(path, `SELECT sum(${kind}) AS value FROM peers`), total, kind)
    }
    const ids = yield* strings(path, "SELECT uuid AS value FROM probes ORDER BY id")
    assert.isAbove(ids.length, 100)
    assert.strictEqual(yield* number(path, "SELECT probes AS value FROM totals"), ids.length)
    const peers = yield* strings(path, "SELECT peer_id AS value FROM peers")
    const everything = Effect.flatMap(History, (history) =>
      Effect.forEach(peers, (peer) => Effect.all([history.peer(peer), history.coverage(peer, 0)]))
    )
    const [probes, onDisk] = yield* Effect.provide(
      Effect.flatMap(History, (history) => Effect.all([Effect.forEach(ids, history.probe), everything])),
      layer({ path })
    )
    const replayed = yield* Effect.provide(
      Effect.flatMap(History, (history) =>
        Effect.forEach(probes, (probe) => history.recordProbe(Option.getOrThrow(probe), "answered"), { discard: true })
      ).pipe(Effect.zipRight(everything)),
      layerMemory
    )
    assert.deepStrictEqual(onDisk, replayed)
  })
