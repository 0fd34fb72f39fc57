import { FileSystem } from "@effect/platform"
import type { PlatformError } from "@effect/platform/Error"
import { Effect } from "effect"

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
