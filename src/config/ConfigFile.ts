import { FileSystem } from "@effect/platform"
import type { PlatformError } from "@effect/platform/Error"
import { Effect, Either } from "effect"
import type { Config } from "./Config.ts"
import { ConfigError } from "./ConfigError.ts"
import { type Complaint, complaintLine, decodeConfig } from "./DecodeConfig.ts"
import { onlyRead, ownPaths, pathConflicts } from "./OwnPaths.ts"
import { placeOnDisk } from "./PlaceOnDisk.ts"
import { readYaml } from "./YamlDocument.ts"
import { writtenKey } from "./Config.ts"

/** Bytes. */
const largestFile = 2 ** 20

/** Reads the text of a configuration file: YAML, snake_case keys. `fileName` is only for the messages. */
export const parseConfig = (text: string, fileName: string): Either.Either<Config, ConfigError> =>
  Either.map(read(text, fileName), ({ config }) => config)

const read = (text: string, fileName: string) =>
  Either.gen(function* () {
    const yaml = yield* Either.mapLeft(readYaml(text), (errors) =>
      ConfigError.of(errors.map(({ line, message }) => located(fileName, line, message)))
    )
    const refuse = (complaints: ReadonlyArray<Complaint>) => {
      const places = complaints.map((complaint) => ({ line: yaml.lineOf(complaint.path), complaint }))
      places.sort((a, b) => (a.line ?? 0) - (b.line ?? 0))
      return ConfigError.of(places.map(({ complaint, line }) => located(fileName, line, complaintLine(complaint))))
    }
    const config = decodeConfig(yaml.value, "snake_case")
    const complaints = [...yaml.complaints, ...(Either.isLeft(config) ? config.left : [])]
    if (Either.isRight(config) && complaints.length === 0) return { config: config.right, refuse }
    return yield* Either.left(refuse(complaints))
  })

/** Reads a configuration file of at most 1 MiB. */
export const loadConfig = Effect.fn("Config.load")(function* (path: string) {
  const fs = yield* FileSystem.FileSystem
  const refuse = (reason: string) => ConfigError.of([`${path}: ${reason}`])
  const { size, type } = yield* Effect.mapError(fs.stat(path), (error) => refuse(describe(error)))
  if (type === "Directory") return yield* refuse("this is a directory, not a configuration file")
  if (type !== "File") return yield* refuse("this is not a regular file")
  if (size > largestFile) return yield* refuse(`${size} bytes, but a configuration file has at most ${largestFile}`)
  const bytes = yield* Effect.mapError(fs.readFile(path), (error) => refuse(describe(error)))
  const text = yield* Effect.try({
    try: () => new TextDecoder("utf-8", { fatal: true }).decode(bytes),
    catch: () => refuse("this is not text in UTF-8")
  })
  const { config, refuse: refuseAt } = yield* read(text, path)
  const conflicts = yield* conflictsOnDisk(config, path)
  if (conflicts.length > 0) return yield* refuseAt(conflicts)
  return config
})

/** Paths that read differently, and lead to the same place; and any that leads to the configuration itself. */
const conflictsOnDisk = Effect.fnUntraced(function* (config: Config, file: string) {
  const paths = [onlyRead([], "this file itself", file), ...ownPaths(config)]
  const places = new Map<string, string>()
  for (const { path } of paths) places.set(path, yield* placeOnDisk(path))
  return pathConflicts(paths, "snake_case", (path) => places.get(path) ?? path).map(({ key, message }): Complaint => ({
    path: key.map((part) => writtenKey(part, "snake_case")),
    message
  }))
})

const located = (fileName: string, line: number | undefined, text: string): string =>
  line === undefined ? `${fileName}: ${text}` : `${fileName}:${line}: ${text}`

const describe = (error: PlatformError): string => {
  if (error._tag === "BadArgument") return "this is not the path of a file"
  switch (error.reason) {
    case "NotFound":
      return "there is no such file"
    case "PermissionDenied":
      return "it may not be read by this user"
    default:
      return `it cannot be read (${error.reason})`
  }
}
