import { Context, Effect, Option } from "effect"
import { ConfigError } from "../config/ConfigError.ts"
import type { FlagReading } from "../config/settings/Flags.ts"
import { lazy } from "./CommandParts.ts"

/** The settings that stand on the command line of this run. */
export class SettingFlags extends Context.Tag("dasmon/SettingFlags")<
  SettingFlags,
  Pick<FlagReading, "complaints" | "given">
>() {}

/** Commands that take every key of the configuration as a flag, with the flags that are theirs. */
const takers: ReadonlyMap<string, ReadonlyArray<string>> = new Map([
  ["run", ["--config"]],
  ["check-config", ["--config"]]
])

/** What the command-line library takes at every command. */
const builtIn = ["--help", "--version", "--wizard", "--completions", "--log-level"]

/** Takes the settings off a whole command line (with program and script); the rest is the command-line library's to read. */
export const takeSettings = (
  argv: ReadonlyArray<string>,
  commands: ReadonlyArray<string>
): Effect.Effect<FlagReading> =>
  Effect.gen(function* () {
    const at = argv.findIndex((text, index) => index > 1 && commands.includes(text))
    const own = takers.get(argv[at] ?? "")
    if (own === undefined) return { given: [], complaints: [], rest: argv }
    const { readFlags } = yield* lazy(() => import("../config/settings/Flags.ts"))
    const reading = readFlags(argv.slice(at + 1), [...own, ...builtIn])
    return { ...reading, rest: [...argv.slice(0, at + 1), ...reading.rest] }
  })

/** The configuration of this run: by flags, variables, and the file that is named, in this order. */
export const loadConfiguration = Effect.fn("Settings.loadConfiguration")(function* (named: Option.Option<string>) {
  const { fileVariable, readVariables } = yield* lazy(() => import("../config/settings/Variables.ts"))
  const { loadSettings } = yield* lazy(() => import("../config/settings/LoadSettings.ts"))
  const flags = yield* SettingFlags
  const variables = readVariables(process.env)
  const file = Option.getOrElse(named, () => process.env[fileVariable] || undefined)
  const complaints = [...flags.complaints, ...variables.complaints]
  const loaded = yield* Effect.mapError(loadSettings({ file, given: [...variables.given, ...flags.given] }), (error) =>
    ConfigError.of([...complaints, ...error.lines])
  )
  if (complaints.length > 0) return yield* ConfigError.of(complaints)
  return { ...loaded, file }
})
