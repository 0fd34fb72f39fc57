import { dirname } from "node:path"
import { FileSystem } from "@effect/platform"
import type { PlatformError } from "@effect/platform/Error"
import { Effect, Ref, Schedule, Schema } from "effect"

/** The log cannot be written. */
export class EventLogError extends Schema.TaggedError<EventLogError>()("EventLogError", {
  path: Schema.String,
  /** What is wrong, and what to do about it. */
  reason: Schema.String
}) {
  override get message(): string {
    return `event log ${this.path}: ${this.reason}`
  }
}

export interface LogFileOptions {
  readonly path: string
  /** Bytes beyond which the file is put aside, as `path.1`, and a fresh one begun. */
  readonly maxBytes: number
  /** Files that were put aside and are kept. */
  readonly keep: number
}

/**
 * Makes sure that the file can be written and that nothing is appended to half a line, and gives what appends whole
 * lines to it. Appending never fails: it goes on trying, and says so once when that begins and once when it is over.
 * The file is opened anew each time, so it may be moved away.
 */
export const openLogFile = Effect.fn("LogFile.open")(function* (options: LogFileOptions) {
  const { path } = options
  const fs = yield* FileSystem.FileSystem
  const limited = <A>(
    effect: Effect.Effect<A, PlatformError, FileSystem.FileSystem>
  ): Effect.Effect<A, EventLogError> =>
    effect.pipe(
      Effect.provideService(FileSystem.FileSystem, fs),
      Effect.mapError((error) => new EventLogError({ path, reason: reasonOf(error, path) })),
      Effect.disconnect,
      Effect.timeoutFail({
        duration: limit,
        onTimeout: () => new EventLogError({ path, reason: `it does not take anything within ${limit}` })
      })
    )

  yield* limited(appendOrNothing(path, new Uint8Array()))
  if (yield* limited(endsInsideLine(path))) yield* limited(appendOrNothing(path, Uint8Array.of(newline)))
  const failing = yield* Ref.make(false)
  const persistent = <A>(attempt: Effect.Effect<A, EventLogError>): Effect.Effect<A> =>
    attempt.pipe(
      Effect.tapError((error) =>
        Effect.unlessEffect(
          Effect.logWarning(`${error.message}; still trying, meanwhile events may be lost`),
          Ref.getAndSet(failing, true)
        )
      ),
      Effect.retry(retries),
      Effect.orDie,
      Effect.zipLeft(
        Effect.whenEffect(Effect.logInfo(`event log ${path}: is written again`), Ref.getAndSet(failing, false))
      )
    )
  /** Without lines, it makes sure that there is a file. */
  return (lines: ReadonlyArray<string>): Effect.Effect<void> =>
    Effect.gen(function* () {
      const encoded = lines.map((line) => new TextEncoder().encode(line))
      let written = 0
      do {
        written += yield* persistent(limited(appendSome(options, encoded.slice(written))))
      } while (written < encoded.length)
    })
})

/**
 * Makes room at `path`: what is there becomes `path.1`, what was that becomes `path.2`, up to `path.<keep>`; the oldest
 * goes. When a step fails, doing it again goes on from there, and no more is lost.
 */
export const rotateFiles = (path: string, keep: number): Effect.Effect<void, PlatformError, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    if (keep === 0) return yield* fs.remove(path, { force: true })
    const nth = (n: number) => `${path}.${n}`
    let free = 1
    while (free < keep && (yield* fs.exists(nth(free)))) free++
    for (let n = free; n > 1; n--) yield* fs.rename(nth(n - 1), nth(n))
    // Someone else may have moved it away at this moment.
    yield* Effect.catchIf(
      fs.rename(path, nth(1)),
      (error) => error._tag === "SystemError" && error.reason === "NotFound",
      () => Effect.void
    )
  })

/** Appends as many of the lines as there is room for in one file, and says how many. */
const appendSome = (
  { keep, maxBytes, path }: LogFileOptions,
  lines: ReadonlyArray<Uint8Array>
): Effect.Effect<number, PlatformError, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const [first] = lines
    let size = Number(yield* fileSize(path))
    if (first !== undefined && size > 0 && size + first.length > maxBytes) {
      yield* rotateFiles(path, keep)
      size = 0
    }
    let count = 0
    for (const { length } of lines) {
      if (count > 0 && size + length > maxBytes) break
      size += length
      count++
    }
    yield* appendOrNothing(path, Buffer.concat(lines.slice(0, count)))
    return count
  })

const limit = "5 seconds"

/** Without end, and never longer than a second apart: an attempt fits into the time that closing takes. */
const retries = Schedule.exponential("100 millis").pipe(Schedule.union(Schedule.spaced("1 second")))

/** A disk that becomes full takes a part of what is written. The part is taken back, or the next attempt repeats it. */
const appendOrNothing = (path: string, bytes: Uint8Array) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const file = yield* fs.open(path, { flag: "a" })
    const { size } = yield* file.stat
    if (bytes.length > 0) {
      yield* file.writeAll(bytes).pipe(Effect.onError(() => Effect.ignore(file.truncate(size))))
    }
  }).pipe(Effect.scoped)

/** 0 for a file that does not exist, and for what is not a file. */
const fileSize = (path: string): Effect.Effect<bigint, PlatformError, FileSystem.FileSystem> =>
  Effect.flatMap(FileSystem.FileSystem, (fs) => fs.stat(path)).pipe(
    Effect.map((info) => (info.type === "File" ? info.size : FileSystem.Size(0))),
    Effect.catchIf(
      (error) => error._tag === "SystemError" && error.reason === "NotFound",
      () => Effect.succeed(FileSystem.Size(0))
    )
  )

/** Whether the process that wrote the file last was stopped within a line. */
const endsInsideLine = (path: string) =>
  Effect.gen(function* () {
    const size = yield* fileSize(path)
    if (size === FileSystem.Size(0)) return false
    const file = yield* Effect.flatMap(FileSystem.FileSystem, (fs) => fs.open(path, { flag: "r" }))
    const last = new Uint8Array(1)
    yield* file.seek(size - 1n, "start")
    yield* file.read(last)
    return last[0] !== newline
  }).pipe(Effect.scoped)

const newline = 0x0a

const reasonOf = (error: PlatformError, path: string): string => {
  if (error._tag === "BadArgument") return `this is not the path of a file (${error.message})`
  switch (error.reason) {
    case "NotFound":
      return `the folder ${dirname(path)} does not exist: make it, or name another file`
    case "PermissionDenied":
      return "this user may not write it: change its permissions, or name another file"
    case "BadResource":
      return "this is a folder, or a part of its path is no folder: name another file"
    default:
      return error.description ?? error.reason
  }
}
