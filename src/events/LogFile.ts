import { dirname } from "node:path"
import * as FileSystem from "@effect/platform/FileSystem"
import type { PlatformError } from "@effect/platform/Error"
import { Effect, Option, Ref, Schedule, Schema } from "effect"
import { equalBytes } from "../domain/Bytes.ts"

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
 * lines to it, each once. Appending never fails: it goes on trying, and says so once when that begins and once when it
 * is over. The file is opened anew each time, so it may be moved away.
 */
export const openLogFile = Effect.fn("LogFile.open")(function* (options: LogFileOptions) {
  const { path } = options
  const fs = yield* FileSystem.FileSystem
  const tooSlow = new EventLogError({ path, reason: `it does not take anything within ${limit}` })
  const disk = yield* Effect.makeSemaphore(1)
  // What was begun when this is closed goes on to its end, and is waited for: whoever reads the files then finds them whole.
  yield* Effect.addFinalizer(() =>
    Effect.timeoutOption(Effect.interruptible(disk.withPermits(1)(Effect.void)), closingLimit)
  )
  /** An interruption does not wait for the disk, and stops nothing that the disk has begun. */
  const onDisk = <A>(effect: Effect.Effect<A, PlatformError, FileSystem.FileSystem>): Effect.Effect<A, EventLogError> =>
    effect.pipe(
      Effect.provideService(FileSystem.FileSystem, fs),
      Effect.mapError((error) => new EventLogError({ path, reason: reasonOf(error, path) })),
      disk.withPermits(1),
      Effect.uninterruptible,
      Effect.disconnect
    )
  const limited = <A>(effect: Effect.Effect<A, PlatformError, FileSystem.FileSystem>) =>
    Effect.timeoutFail(onDisk(effect), { duration: limit, onTimeout: () => tooSlow })

  yield* limited(appendOrNothing(path, new Uint8Array()))
  if (yield* limited(endsInsideLine(path))) yield* limited(appendOrNothing(path, Uint8Array.of(newline)))
  const failing = yield* Ref.make(false)
  const doubt = yield* Ref.make(Option.none<Doubt>())
  const complain = ({ message }: EventLogError) =>
    Effect.unlessEffect(
      Effect.logWarning(`${message}; still trying, meanwhile events may be lost`),
      Ref.getAndSet(failing, true)
    )
  // However long an attempt takes, there is no other before it has ended: it may still go through.
  const persistent = <A>(attempt: Effect.Effect<A, EventLogError>): Effect.Effect<A> =>
    attempt.pipe(
      Effect.raceFirst(Effect.zipRight(Effect.delay(complain(tooSlow), limit), Effect.never)),
      Effect.tapError(complain),
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
        written += yield* persistent(onDisk(appendSome(options, doubt, encoded.slice(written))))
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
  doubt: Ref.Ref<Option.Option<Doubt>>,
  lines: ReadonlyArray<Uint8Array>
): Effect.Effect<number, PlatformError, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const settled = yield* settle(path, doubt)
    if (settled > 0) return settled
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
    yield* appendOrNothing(path, Buffer.concat(lines.slice(0, count)), (place) =>
      Ref.set(doubt, Option.some({ ...place, lines: count }))
    )
    return count
  })

const limit = "5 seconds"
const closingLimit = "1 second"

/** Without end, and never longer than a second apart: an attempt fits into the time that closing takes. */
const retries = Schedule.exponential("100 millis").pipe(Schedule.union(Schedule.spaced("1 second")))

/**
 * A disk that becomes full takes a part of what is written. The part is taken back, or the next attempt repeats it;
 * `onKept` runs where even that fails.
 */
const appendOrNothing = (
  path: string,
  bytes: Uint8Array,
  onKept: (place: Omit<Doubt, "lines">) => Effect.Effect<void> = () => Effect.void
) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const file = yield* fs.open(path, { flag: "a" })
    const { ino, size } = yield* file.stat
    if (bytes.length > 0) {
      const takeBack = Effect.catchAll(file.truncate(size), () => onKept({ bytes, ino, size }))
      yield* Effect.tapError(file.writeAll(bytes), () => takeBack)
    }
  }).pipe(Effect.scoped)

/** A write that failed, and of which the file may have nothing, a part, or all. */
interface Doubt {
  readonly bytes: Uint8Array
  /** How many lines that is. */
  readonly lines: number
  /** The file before it. */
  readonly ino: Option.Option<number>
  readonly size: bigint
}

/** Looks at what the file has of a write in doubt: gives how many lines that is, and takes half ones back. */
const settle = (path: string, doubt: Ref.Ref<Option.Option<Doubt>>) =>
  Effect.gen(function* () {
    const before = yield* Ref.get(doubt)
    if (Option.isNone(before)) return 0
    const { bytes, ino, lines, size } = before.value
    const fs = yield* FileSystem.FileSystem
    const file = yield* fs.open(path, { flag: "a+" })
    const now = yield* file.stat
    const added = Number(now.size - size)
    let written = 0
    // What was moved away meanwhile is left as it is.
    if (Option.getOrNull(now.ino) === Option.getOrNull(ino) && added > 0 && added <= bytes.length) {
      const found = new Uint8Array(added)
      yield* file.seek(size, "start")
      yield* file.read(found)
      if (equalBytes(found, bytes)) written = lines
      else yield* file.truncate(size)
    }
    yield* Ref.set(doubt, Option.none())
    return written
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
