import * as FileSystem from "@effect/platform/FileSystem"
import type { PlatformError } from "@effect/platform/Error"
import { Effect, Either } from "effect"
import { ConfigError } from "./ConfigError.ts"
import { readYaml, type YamlDocument } from "./YamlDocument.ts"

/** Bytes. */
const largestFile = 2 ** 20

/** The text of a configuration file, of at most 1 MiB. */
export const loadText = Effect.fn("Config.loadText")(function* (path: string) {
  const fs = yield* FileSystem.FileSystem
  const refuse = (reason: string) => ConfigError.of([`${path}: ${reason}`])
  const { size, type } = yield* Effect.mapError(fs.stat(path), (error) => refuse(describe(error)))
  if (type === "Directory") return yield* refuse("this is a directory, not a configuration file")
  if (type !== "File") return yield* refuse("this is not a regular file")
  if (size > largestFile) return yield* refuse(`${size} bytes, but a configuration file has at most ${largestFile}`)
  const bytes = yield* Effect.mapError(fs.readFile(path), (error) => refuse(describe(error)))
  return yield* Effect.try({
    try: () => new TextDecoder("utf-8", { fatal: true }).decode(bytes),
    catch: () => refuse("this is not text in UTF-8")
  })
})

/** The same as a document; what is wrong with it as YAML names the file. */
export const yamlOf = (text: string, fileName: string): Either.Either<YamlDocument, ConfigError> =>
  Either.mapLeft(readYaml(text), (errors) =>
    ConfigError.of(errors.map(({ line, message }) => `${fileName}${line === undefined ? "" : `:${line}`}: ${message}`))
  )

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
