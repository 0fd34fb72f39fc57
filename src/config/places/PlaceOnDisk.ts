import { basename, dirname, join, resolve } from "node:path"
import * as FileSystem from "@effect/platform/FileSystem"
import { Effect } from "effect"

/**
 * The path without links in it, as far as it is there: the same for whatever leads to the same place. A link to what is
 * not there yet is followed too, and what cannot be looked at is taken as it is written.
 */
export const placeOnDisk = (path: string, links = mostLinks): Effect.Effect<string, never, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const absolute = resolve(path)
    const real = yield* Effect.option(fs.realPath(absolute))
    if (real._tag === "Some") return real.value
    const target = yield* Effect.option(fs.readLink(absolute))
    const folder = dirname(absolute)
    if (target._tag === "Some" && links > 0) return yield* placeOnDisk(resolve(folder, target.value), links - 1)
    return folder === absolute ? absolute : join(yield* placeOnDisk(folder, links), basename(absolute))
  })

const mostLinks = 32
