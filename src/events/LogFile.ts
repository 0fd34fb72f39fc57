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

/**
 * Makes sure that the file can be written and that nothing is appended to half a line, and gives what appends whole
 * lines to it. Appending never fails: it goes on trying, and says so once when that begins and once when it is over.
 * The file is opened anew each time, so it may be moved away.
 */
export const openLogFile = Effect.fn("LogFile.open")(function* (path: string) {
  const fs = yield* FileSystem.FileSystem
  const limited = <A>(effect: Effect.Effect<A, PlatformError>): Effect.Effect<A, EventLogError> =>
    effect.pipe(
      Effect.mapError((error) => new EventLogError({ path, reason: reasonOf(error, path) })),
      Effect.disconnect,
      Effect.timeoutFail({
        duration: limit,
        onTimeout: () => new EventLogError({ path, reason: `it does not take anything within ${limit}` })
      })
    )
  const write = (text: string) => limited(appendOrNothing(fs, path, new TextEncoder().encode(text)))

  yield* write("")
  if (yield* limited(endsInsideLine(fs, path))) yield* write("\n")
  const failing = yield* Ref.make(false)
  return (lines: string): Effect.Effect<void> =>
    write(lines).pipe(
      Effect.tapError((error) =>
        Effect.unlessEffect(
          Effect.logWarning(`${error.message}; still trying, meanwhile events may be lost`),
          Ref.getAndSet(failing, true)
        )
      ),
      Effect.retry(retries),
      Effect.orDie,
      Effect.zipRight(
        Effect.whenEffect(Effect.logInfo(`event log ${path}: is written again`), Ref.getAndSet(failing, false))
      )
    )
})

const limit = "5 seconds"

/** Without end, and never longer than a second apart: an attempt fits into the time that closing takes. */
const retries = Schedule.exponential("100 millis").pipe(Schedule.union(Schedule.spaced("1 second")))

/** A disk that becomes full takes a part of what is written. The part is taken back, or the next attempt repeats it. */
const appendOrNothing = (fs: FileSystem.FileSystem, path: string, bytes: Uint8Array) =>
  Effect.gen(function* () {
    const size = yield* sizeOf(fs, path)
    yield* fs.writeFile(path, bytes, { flag: "a" }).pipe(Effect.onError(() => Effect.ignore(fs.truncate(path, size))))
  })

/** 0 for a file that does not exist, and for what is not a file. */
const sizeOf = (fs: FileSystem.FileSystem, path: string): Effect.Effect<bigint, PlatformError> =>
  fs.stat(path).pipe(
    Effect.map((info) => (info.type === "File" ? info.size : FileSystem.Size(0))),
    Effect.catchIf(
      (error) => error._tag === "SystemError" && error.reason === "NotFound",
      () => Effect.succeed(FileSystem.Size(0))
    )
  )

/** Whether the process that wrote the file last was stopped within a line. */
const endsInsideLine = (fs: FileSystem.FileSystem, path: string) =>
  Effect.gen(function* () {
    const size = yield* sizeOf(fs, path)
    if (size === FileSystem.Size(0)) return false
    const file = yield* fs.open(path, { flag: "r" })
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
