import { Effect, Either } from "effect"
import type { Config } from "./Config.ts"
import type { ConfigError } from "./ConfigError.ts"
import { yamlOf } from "./ConfigText.ts"
import { assemble } from "./settings/Assemble.ts"
import { loadSettings } from "./settings/LoadSettings.ts"

/** Reads the text of a configuration file: YAML, snake_case keys. `fileName` is only for the messages. */
export const parseConfig = (text: string, fileName: string): Either.Either<Config, ConfigError> =>
  Either.flatMap(yamlOf(text, fileName), (yaml) =>
    Either.map(assemble({ file: { name: fileName, yaml }, given: [] }), ({ config }) => config)
  )

/** Reads a configuration file of at most 1 MiB, and nothing else. */
export const loadConfig = (path: string) => Effect.map(loadSettings({ file: path, given: [] }), ({ config }) => config)
