import { FileSystem } from "@effect/platform"
import type { PlatformError } from "@effect/platform/Error"
import { Effect, Either } from "effect"
import type { Config } from "./Config.ts"
import { ConfigError } from "./ConfigError.ts"
import { complaintLine, decodeConfig } from "./DecodeConfig.ts"
import { readYaml } from "./YamlDocument.ts"

/** Bytes. */
const largestFile = 2 ** 20

/** Reads the text of a configuration file: YAML, snake_case keys. `fileName` is only for the messages. */
export const parseConfig = (text: string, fileName: string): Either.Either<Config, ConfigError> =>
  Either.gen(function* () {
    const yaml = yield* Either.mapLeft(readYaml(text), (errors) =>
      ConfigError.of(errors.map(({ line, message }) => located(fileName, line, message)))
    )
    const config = decodeConfig(yaml.value, "snake_case")
    const complaints = [...yaml.complaints, ...(Either.isLeft(config) ? config.left : [])]
    if (Either.isRight(config) && complaints.length === 0) return config.right
    const places = complaints.map((complaint) => ({
      line: yaml.lineOf(complaint.path),
      text: complaintLine(complaint)
    }))
    places.sort((a, b) => (a.line ?? 0) - (b.line ?? 0))
    return yield* Either.left(ConfigError.of(places.map(({ line, text }) => located(fileName, line, text))))
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
  return yield* parseConfig(text, path)
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
