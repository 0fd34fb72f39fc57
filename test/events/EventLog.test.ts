import { FileSystem, Error as PlatformError } from "@effect/platform"
import { NodeFileSystem } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Either, Exit, Layer, Logger, Ref, Schema, Scope } from "effect"
import { EventBus } from "../../src/events/EventBus.ts"
import * as EventLog from "../../src/events/EventLog.ts"
import * as MemoryEventBus from "../../src/events/MemoryEventBus.ts"
import { rotateFiles } from "../../src/events/LogFile.ts"
import { Daemons } from "../../src/runtime/Daemon.ts"
import { withFiles } from "./AlteredFiles.ts"
import { sampling, snapshotEvent } from "./fixtures.ts"
import { eventually } from "../Eventually.ts"
import { scaledMs } from "../TimeLimits.ts"

const tempFolder = Effect.flatMap(FileSystem.FileSystem, (fs) => fs.makeTempDirectoryScoped())

/** What a program does with a bus and a log to `path`; everything is closed when it returns. */
const session = <A, E, R>(
  path: string,
  program: Effect.Effect<A, E, R | EventBus>,
  options: { readonly capacity?: number; readonly maxBytes?: number; readonly keep?: number } = {}
): Effect.Effect<A, E | EventLog.EventLogError, Exclude<R, EventBus> | FileSystem.FileSystem> =>
  Effect.provide(
    program,
    Layer.provideMerge(
      EventLog.layerOver({ path, maxBytes: 2 ** 30, keep: 5, ...options }),
      MemoryEventBus.layer(options)
    )
  )

const publish = (count: number, first = 1) =>
  Effect.flatMap(EventBus, (bus) =>
    Effect.forEach(
      Array.from({ length: count }, (_, index) => first + index),
      (index) => bus.publish(index % 10 === 0 ? snapshotEvent : sampling(index))
    )
  )

const linesOf = (path: string) =>
  Effect.gen(function* () {
    const text = yield* Effect.flatMap(FileSystem.FileSystem, (fs) => fs.readFileString(path))
    assert.isTrue(text === "" || text.endsWith("\n"))
    return text.split("\n").slice(0, -1)
  })

const read = (path: string) =>
  Effect.map(linesOf(path), (lines) => lines.map((line) => Schema.decodeUnknownSync(EventLog.LogLine)(line)))

/** Node's file system, in which writing fails while `broken` holds a reason, after half of the bytes. */
const fragile = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const broken = yield* Ref.make<PlatformError.SystemErrorReason | undefined>(undefined)
  const failures = yield* Ref.make(0)
  const layer = Layer.succeed(
    FileSystem.FileSystem,
    withFiles(fs, (file) => ({
      writeAll: (data) =>
        Effect.flatMap(Ref.get(broken), (reason) =>
          reason === undefined
            ? file.writeAll(data)
            : Effect.zipRight(
                Effect.zipRight(
                  Ref.update(failures, (n) => n + 1),
                  file.writeAll(data.subarray(0, data.length / 2))
                ),
                new PlatformError.SystemError({
                  reason,
                  module: "FileSystem",
                  method: "write",
                  description: "disk full"
                })
              )
        )
    }))
  )
  return { broken, failures: Ref.get(failures), layer }
})

const collectLogs = Effect.map(Ref.make<ReadonlyArray<string>>([]), (messages) => ({
  messages: Ref.get(messages),
  layer: Logger.replace(
    Logger.defaultLogger,
    Logger.make(({ logLevel, message }) => {
      Effect.runSync(Ref.update(messages, (all) => [...all, `${logLevel.label} ${String(message)}`]))
    })
  )
}))

describe("EventLog", () => {
  it.scopedLive("has every event that was published before it closed, each as it was", () =>
    Effect.gen(function* () {
      const path = `${yield* tempFolder}/events.ndjson`
      const events = yield* session(path, publish(2500))
      assert.deepStrictEqual(yield* read(path), events)
    }).pipe(Effect.provide(NodeFileSystem.layer))
  )

  it.scopedLive("writes while it runs, and goes on in a file that was moved away", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const folder = yield* tempFolder
      const path = `${folder}/events.ndjson`
      yield* session(
        path,
        Effect.gen(function* () {
          yield* publish(3)
          yield* eventually(Effect.map(linesOf(path), ({ length }) => length === 3))
          yield* fs.rename(path, `${folder}/old`)
          yield* publish(2, 4)
        })
      )
      assert.lengthOf(yield* linesOf(`${folder}/old`), 3)
      assert.deepStrictEqual(
        (yield* read(path)).map((line) => "sequence" in line && line.sequence),
        [4, 5]
      )
    }).pipe(Effect.provide(NodeFileSystem.layer))
  )

  it.scopedLive("appends after a restart, also to a line that was cut short", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const path = `${yield* tempFolder}/events.ndjson`
      const before = yield* session(path, publish(2))
      yield* fs.writeFileString(path, '{"_tag":"Samp', { flag: "a" })
      const after = yield* session(path, publish(2))
      const [first, second, torn, ...rest] = yield* linesOf(path)
      assert.strictEqual(torn, '{"_tag":"Samp')
      assert.deepStrictEqual(
        [first, second, ...rest].map((line) => Schema.decodeUnknownSync(EventLog.LogLine)(line)),
        [...before, ...after]
      )
    }).pipe(Effect.provide(NodeFileSystem.layer))
  )

  it.scopedLive("keeps what it can while the disk is full, notes the gap, and says so once", () =>
    Effect.gen(function* () {
      const path = `${yield* tempFolder}/events.ndjson`
      const { broken, failures, layer } = yield* fragile
      const logs = yield* collectLogs
      yield* session(
        path,
        Effect.gen(function* () {
          yield* publish(5)
          yield* eventually(Effect.map(linesOf(path), ({ length }) => length === 5))
          yield* Ref.set(broken, "Unknown")
          yield* publish(1, 6)
          yield* eventually(Effect.map(logs.messages, ({ length }) => length > 0))
          yield* publish(20_000, 7)
          yield* eventually(Effect.map(failures, (count) => count >= 3))
          yield* Ref.set(broken, undefined)
          yield* publish(1, 20_007)
        }),
        { capacity: 16 }
      ).pipe(Effect.provide(Layer.merge(layer, logs.layer)))

      const lines = yield* read(path)
      const covered = lines.flatMap((line) =>
        line._tag === "Gap" ? [line.from, line.to] : [line.sequence, line.sequence]
      )
      // Every number once: in its own line, or within a gap.
      for (let index = 0; index < covered.length; index += 2) {
        assert.strictEqual(covered[index], (covered[index - 1] ?? 0) + 1)
      }
      assert.strictEqual(covered.at(-1), 20_007)
      assert.isAbove(lines.filter(({ _tag }) => _tag === "Gap").length, 0)
      assert.isBelow(lines.length, 10_000)
      assert.deepStrictEqual(yield* logs.messages, [
        `WARN event log ${path}: disk full; still trying, meanwhile events may be lost`,
        `INFO event log ${path}: is written again`
      ])
    }).pipe(Effect.provide(NodeFileSystem.layer))
  )

  it.scopedLive("closes within its time when nothing can be written, and says how much is lost", () =>
    Effect.gen(function* () {
      const path = `${yield* tempFolder}/events.ndjson`
      const { broken, layer } = yield* fragile
      const logs = yield* collectLogs
      const [elapsed] = yield* session(path, Effect.zipRight(Ref.set(broken, "Unknown"), publish(3))).pipe(
        Effect.timed,
        Effect.provide(Layer.merge(layer, logs.layer))
      )
      assert.isBelow(Duration.toMillis(elapsed), scaledMs("4 seconds"))
      assert.deepStrictEqual(yield* linesOf(path), [])
      assert.include(yield* logs.messages, `WARN event log ${path}: the last 3 events could not be written`)
    }).pipe(Effect.provide(NodeFileSystem.layer))
  )

  it.scopedLive("says at the start why it cannot be written, and what to do", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const folder = yield* tempFolder
      yield* fs.writeFileString(`${folder}/file`, "")
      const messageOf = (path: string) =>
        Effect.map(Effect.either(session(path, Effect.void)), Either.match({ onLeft: String, onRight: () => "fine" }))
      assert.include(
        yield* messageOf(`${folder}/none/events.ndjson`),
        `event log ${folder}/none/events.ndjson: the folder ${folder}/none does not exist: make it, or name another file`
      )
      assert.include(yield* messageOf(folder), `event log ${folder}: this is a folder`)
      assert.include(yield* messageOf(`${folder}/file/events`), "a part of its path is no folder: name another file")
    }).pipe(Effect.provide(NodeFileSystem.layer))
  )

  it.scopedLive("begins a fresh file when one is full, and keeps so many", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const folder = yield* tempFolder
      const path = `${folder}/events.ndjson`
      const all = yield* session(path, publish(1500), { maxBytes: 20 * 1024, keep: 1000 })
      const count = (yield* fs.readDirectory(folder)).length
      assert.isAbove(count, 20)
      const files = [...Array.from({ length: count - 1 }, (_, index) => `${path}.${count - 1 - index}`), path]
      for (const file of files) assert.isAtMost(Number((yield* fs.stat(file)).size), 20 * 1024)
      assert.deepStrictEqual((yield* Effect.forEach(files, read)).flat(), all)

      yield* session(path, publish(500), { maxBytes: 20 * 1024, keep: 3 })
      yield* Effect.forEach(
        Array.from({ length: count - 4 }, (_, index) => `${path}.${index + 4}`),
        (file) => fs.remove(file)
      )
      const newest = yield* session(path, publish(500), { maxBytes: 20 * 1024, keep: 3 })
      assert.deepStrictEqual((yield* fs.readDirectory(folder)).sort(), [
        "events.ndjson",
        "events.ndjson.1",
        "events.ndjson.2",
        "events.ndjson.3"
      ])
      const kept = (yield* Effect.forEach([`${path}.3`, `${path}.2`, `${path}.1`, path], read)).flat()
      assert.deepStrictEqual(kept, newest.slice(-kept.length))

      const last = yield* session(path, publish(300), { maxBytes: 20 * 1024, keep: 0 })
      assert.deepStrictEqual(yield* read(path), last.slice(-(yield* read(path)).length))
      assert.isAtMost(Number((yield* fs.stat(path)).size), 20 * 1024)
    }).pipe(Effect.provide(NodeFileSystem.layer))
  )

  it.scopedLive("loses no more files when putting one aside fails half-way, again and again", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const path = `${yield* tempFolder}/log`
      for (const [index, name] of [path, `${path}.1`, `${path}.2`, `${path}.3`].entries()) {
        yield* fs.writeFileString(name, String(index))
      }
      const failing = {
        ...fs,
        rename: (from: string, to: string) =>
          from === `${path}.1`
            ? new PlatformError.SystemError({ reason: "Busy", module: "FileSystem", method: "rename" })
            : fs.rename(from, to)
      }
      const rotate = rotateFiles(path, 3)
      for (let round = 0; round < 3; round++) {
        yield* Effect.flip(Effect.provideService(rotate, FileSystem.FileSystem, failing))
      }
      yield* rotate
      const texts = yield* Effect.forEach([`${path}.1`, `${path}.2`, `${path}.3`], (name) => fs.readFileString(name))
      assert.deepStrictEqual(texts, ["0", "1", "2"])
      assert.isFalse(yield* fs.exists(path))
    }).pipe(Effect.provide(NodeFileSystem.layer))
  )

  it.scopedLive("writes every event once while it is moved away, hung up and full all the time", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const folder = yield* tempFolder
      const path = `${folder}/events.ndjson`
      const listeners = process.listenerCount("SIGHUP")
      yield* session(
        path,
        Effect.gen(function* () {
          for (let round = 1; round <= 25; round++) {
            yield* publish(200)
            // It may be put aside at the same moment.
            yield* Effect.eventually(fs.rename(path, `${folder}/moved-${round}`))
            process.emit("SIGHUP")
            // Also without an event there is a fresh one soon.
            yield* eventually(fs.exists(path))
            yield* publish(round)
          }
        }),
        { maxBytes: 30 * 1024, keep: 1000 }
      )
      assert.strictEqual(process.listenerCount("SIGHUP"), listeners)
      const files = (yield* fs.readDirectory(folder)).map((name) => `${folder}/${name}`)
      const lines = (yield* Effect.forEach(files, read)).flat()
      const total = 25 * 200 + (25 * 26) / 2
      assert.deepStrictEqual(
        lines.map((line) => (line._tag === "Gap" ? line : line.sequence)).sort((a, b) => Number(a) - Number(b)),
        Array.from({ length: total }, (_, index) => index + 1)
      )
    }).pipe(Effect.provide(NodeFileSystem.layer))
  )

  it.scopedLive("says once that its folder is gone, and goes on when it is back", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const folder = `${yield* tempFolder}/logs`
      yield* fs.makeDirectory(folder)
      const path = `${folder}/events.ndjson`
      const logs = yield* collectLogs
      yield* session(
        path,
        Effect.gen(function* () {
          yield* publish(3)
          yield* eventually(Effect.map(linesOf(path), ({ length }) => length === 3))
          yield* fs.remove(folder, { recursive: true })
          yield* publish(5, 4)
          yield* eventually(Effect.map(logs.messages, ({ length }) => length > 0))
          yield* fs.makeDirectory(folder)
          yield* eventually(Effect.map(linesOf(path), ({ length }) => length === 5))
        })
      ).pipe(Effect.provide(logs.layer))
      assert.deepStrictEqual(
        (yield* read(path)).map((line) => "sequence" in line && line.sequence),
        [4, 5, 6, 7, 8]
      )
      const [warning, info, ...rest] = yield* logs.messages
      assert.include(warning, `the folder ${folder} does not exist`)
      assert.strictEqual(info, `INFO event log ${path}: is written again`)
      assert.deepStrictEqual(rest, [])
    }).pipe(Effect.provide(NodeFileSystem.layer))
  )

  it.scopedLive("writes what a defect kept it from writing", () =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const path = `${yield* tempFolder}/events.ndjson`
      const trap = yield* Effect.once(Effect.dieMessage("an injected defect"))
      const isOpen = yield* Ref.make(false)
      const trapped = Layer.succeed(FileSystem.FileSystem, {
        ...fs,
        open: (...parameters) => Effect.zipRight(Effect.whenEffect(trap, isOpen), fs.open(...parameters))
      })
      const events = yield* session(
        path,
        Effect.gen(function* () {
          yield* Ref.set(isOpen, true)
          const first = yield* publish(3)
          const { failures } = yield* Daemons
          yield* eventually(Effect.map(failures, (count) => count === 1))
          return [...first, ...(yield* publish(2, 4))]
        })
      ).pipe(Effect.provide(Layer.merge(trapped, Daemons.layer)))
      assert.deepStrictEqual(yield* read(path), events)
    }).pipe(Effect.provide(NodeFileSystem.layer))
  )

  it.scopedLive("leaves nothing running once its scope is closed", () =>
    Effect.gen(function* () {
      const path = `${yield* tempFolder}/events.ndjson`
      const busScope = yield* Effect.scope
      const bus = yield* Layer.buildWithScope(MemoryEventBus.layer(), busScope)
      const logScope = yield* Scope.make()
      yield* Layer.buildWithScope(EventLog.layer({ path, maxBytes: 2 ** 30, keep: 5 }), logScope).pipe(
        Effect.provide(bus)
      )
      yield* Effect.provide(publish(1), bus)
      yield* Scope.close(logScope, Exit.void)
      yield* Effect.provide(publish(1), bus)
      // Longer than it takes to be written.
      yield* Effect.sleep("400 millis")
      assert.lengthOf(yield* linesOf(path), 1)
    }).pipe(Effect.provide(NodeFileSystem.layer))
  )
})
