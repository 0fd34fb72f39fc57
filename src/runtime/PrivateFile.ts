import { dirname } from "node:path"
import * as FileSystem from "@effect/platform/FileSystem"
import type { PlatformError } from "@effect/platform/Error"
import { Effect, Option, Schema } from "effect"
import { messageOf } from "../domain/Text.ts"

/** A file that is only ours cannot be read or written; `reason` says why. */
class PrivateFileError extends Schema.TaggedError<PrivateFileError>()("PrivateFileError", {
  path: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `${this.path}: ${this.reason}`
  }
}

/** The text of a file; none if there is no such file. */
export const readPrivate = Effect.fnUntraced(function* (path: string) {
  const fs = yield* FileSystem.FileSystem
  return yield* fs.readFileString(path).pipe(
    Effect.asSome,
    Effect.catchAll((error) =>
      error._tag === "SystemError" && error.reason === "NotFound"
        ? Effect.succeed(Option.none<string>())
        : Effect.fail(new PrivateFileError({ path, reason: `it cannot be read: ${reasonOf(error)}` }))
    )
  )
})

/**
 * Makes a file for its owner only (mode 0600), in place of one that may be there: the whole of it or nothing, also on a
 * full disk and when the power fails. Its folder is made if there is none.
 */
export const writePrivate = Effect.fnUntraced(
  function* (path: string, text: string) {
    const fs = yield* FileSystem.FileSystem
    const beside = `${path}.tmp`
    yield* fs.makeDirectory(dirname(path), { recursive: true })
    yield* fs.remove(beside, { force: true })
    yield* Effect.scoped(
      Effect.gen(function* () {
        const file = yield* fs.open(beside, { flag: "wx", mode: 0o600 })
        yield* file.writeAll(new TextEncoder().encode(text))
        yield* file.sync
      })
    ).pipe(
      Effect.zipRight(fs.rename(beside, path)),
      Effect.onError(() => Effect.ignore(fs.remove(beside, { force: true })))
    )
  },
  (effect, path) =>
    Effect.mapError(
      effect,
      (error) => new PrivateFileError({ path, reason: `it cannot be written: ${reasonOf(error)}` })
    )
)

/** What the system said: the platform's own message names its call too. */
const reasonOf = (error: PlatformError): string => messageOf(error.cause ?? error)
