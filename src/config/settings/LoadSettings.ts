import { Effect } from "effect"
import { type Config, writtenKey } from "../Config.ts"
import type { Complaint } from "../DecodeConfig.ts"
import { loadText, yamlOf } from "../ConfigText.ts"
import { onlyRead, ownPaths, pathConflicts } from "../places/OwnPaths.ts"
import { placeOnDisk } from "../places/PlaceOnDisk.ts"
import { type Assembled, assemble } from "./Assemble.ts"
import type { Given } from "./Given.ts"

/**
 * Makes a configuration of a file, if there is one, and of what was given besides, of which the later wins over the
 * earlier and all of it over the file. Looks at the disk for paths that lead to the same place.
 */
export const loadSettings = Effect.fn("Config.load")(function* (sources: {
  readonly file: string | undefined
  readonly given: ReadonlyArray<Given>
}) {
  const { file: name, given } = sources
  const file = name === undefined ? undefined : { name, yaml: yield* yamlOf(yield* loadText(name), name) }
  const assembled: Assembled = yield* assemble({ file, given })
  const conflicts = yield* conflictsOnDisk(assembled.config, name)
  if (conflicts.length > 0) return yield* assembled.refuse(conflicts)
  return assembled
})

/** Paths that read differently, and lead to the same place; and any that leads to the configuration itself. */
const conflictsOnDisk = Effect.fnUntraced(function* (config: Config, file: string | undefined) {
  const paths = [...(file === undefined ? [] : [onlyRead([], "this file itself", file)]), ...ownPaths(config)]
  const places = new Map<string, string>()
  for (const { path } of paths) places.set(path, yield* placeOnDisk(path))
  return pathConflicts(paths, "snake_case", (path) => places.get(path) ?? path).map(({ key, message }): Complaint => ({
    path: key.map((part) => writtenKey(part, "snake_case")),
    message
  }))
})
