import { FileSystem, Error as PlatformError } from "@effect/platform"
import { NodeFileSystem } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer, Logger, Option, Ref, TestClock } from "effect"
import { openLogFile } from "../../src/events/LogFile.ts"
import { withFiles } from "./AlteredFiles.ts"
import { eventually } from "../Eventually.ts"

/** What a test does in place of writing, or of taking back what was written. */
interface Disk {
  write: (
    data: Uint8Array,
    write: (data: Uint8Array) => Effect.Effect<void, PlatformError.PlatformError>
  ) => Effect.Effect<void, PlatformError.PlatformError>
  /** Attempts to take something back that fail from here on. */
  keeps: number
}

const broken = new PlatformError.SystemError({
  reason: "Unknown",
  module: "FileSystem",
  method: "write",
  description: "disk broken"
})

/** Node's file system but for what the disk does. */
const layerOn = (disk: Disk) =>
  Layer.effect(
    FileSystem.FileSystem,
    Effect.map(FileSystem.FileSystem, (fs) =>
      withFiles(fs, (file) => ({
        truncate: (length) => Effect.suspend(() => (disk.keeps-- > 0 ? broken : file.truncate(length))),
        writeAll: (data) => Effect.suspend(() => disk.write(data, (data) => file.writeAll(data)))
      }))
    )
  ).pipe(Layer.provide(NodeFileSystem.layer))

const setUp = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const disk: Disk = { write: (data, write) => write(data), keeps: 0 }
  const path = `${yield* fs.makeTempDirectoryScoped()}/log`
  const append = yield* Effect.provide(openLogFile({ path, maxBytes: 1000, keep: 3 }), layerOn(disk))
  return { append, disk, path, text: fs.readFileString(path) }
})

const warnings = Effect.map(Ref.make<ReadonlyArray<string>>([]), (messages) => ({
  messages: Ref.get(messages),
  layer: Logger.replace(
    Logger.defaultLogger,
    Logger.make(({ message }) => {
      Effect.runSync(Ref.update(messages, (all) => [...all, String(message)]))
    })
  )
}))

/** Moves the clock of the test, while the disk works in real time, until it holds. */
const inTime = (check: Effect.Effect<boolean>) => eventually(Effect.zipRight(TestClock.adjust("1 second"), check))

const ended = <A, E>(fiber: Fiber.RuntimeFiber<A, E>) =>
  Effect.zipRight(inTime(Effect.map(Fiber.poll(fiber), Option.isSome)), Fiber.join(fiber))

describe("a line", () => {
  it.scoped("is written once by a disk that takes longer than its limit", () =>
    Effect.gen(function* () {
      const { append, disk, path, text } = yield* setUp
      const logs = yield* warnings
      const disks = yield* Deferred.make<void>()
      let writes = 0
      // Whoever gives up on a write of Node does not stop it.
      disk.write = (data, write) => {
        writes++
        return Effect.flatMap(Effect.forkDaemon(Effect.zipRight(Deferred.await(disks), write(data))), Fiber.join)
      }
      const appending = yield* Effect.fork(Effect.provide(append(["one\n", "two\n"]), logs.layer))
      yield* inTime(Effect.map(logs.messages, ({ length }) => length > 0))
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(yield* logs.messages, [
        `event log ${path}: it does not take anything within 5 seconds; still trying, meanwhile events may be lost`
      ])
      yield* Deferred.succeed(disks, undefined)
      yield* ended(appending)
      yield* append(["three\n"])
      assert.strictEqual(yield* text, "one\ntwo\nthree\n")
      assert.strictEqual(writes, 2)
      assert.strictEqual((yield* logs.messages)[1], `event log ${path}: is written again`)
    }).pipe(Effect.provide(NodeFileSystem.layer))
  )

  const failures: ReadonlyArray<readonly [string, (length: number) => number]> = [
    ["had gone through", (length) => length],
    ["had gone through in part", (length) => length - 3],
    ["had not gone through", () => 0]
  ]
  it.scoped.each([...failures])(
    "is written once after a write that failed and %s, on a disk that takes nothing back",
    ([, taken]) =>
      Effect.gen(function* () {
        const { append, disk, text } = yield* setUp
        yield* append(["one\n"])
        let failures = 0
        disk.keeps = 1
        disk.write = (data, write) =>
          failures++ > 0 ? write(data) : Effect.zipRight(write(data.subarray(0, taken(data.length))), broken)
        const appending = yield* Effect.fork(append(["two\n", "three\n"]))
        yield* ended(appending)
        yield* append(["four\n"])
        assert.strictEqual(yield* text, "one\ntwo\nthree\nfour\n")
      }).pipe(Effect.provide(NodeFileSystem.layer))
  )
})
