import { Effect, Option } from "effect"
import type { Config } from "../config/Config.ts"
import { loadConfig } from "../config/ConfigFile.ts"
import { complain, ProgramFailed } from "./Failure.ts"

/** The beacon nodes that `--beacon-api` or `--config` names, and the configuration. */
export const beaconChoice = Effect.fnUntraced(function* (
  command: string,
  given: { readonly beaconApi: Option.Option<string>; readonly config: Option.Option<string> }
) {
  const config: Option.Option<Config> = Option.isSome(given.config)
    ? Option.some(yield* loadConfig(given.config.value))
    : Option.none()
  const beaconApi = Option.match(given.beaconApi, {
    onNone: () => Option.getOrUndefined(config)?.beaconApi,
    onSome: (url): ReadonlyArray<string> => [url]
  })
  if (beaconApi === undefined) {
    return yield* wrong(command, [
      Option.isSome(given.config)
        ? `${given.config.value} names no beacon_api: add it, or give --beacon-api URL`
        : "name a beacon node of the network, a public one will do: --beacon-api URL, or --config FILE that has beacon_api"
    ])
  }
  const noUrl = beaconApi.find((url) => !/^https?:\/\//.test(url) || !URL.canParse(url))
  if (noUrl !== undefined) {
    return yield* wrong(command, [`--beacon-api: ${noUrl} is no URL; allowed is http(s)://host[:port][/path]`])
  }
  return { beaconApi, config }
})

/** What the person who started it did wrong, a line each. */
export const wrong = (command: string, lines: ReadonlyArray<string>): Effect.Effect<never, ProgramFailed> =>
  Effect.zipRight(
    complain(lines.slice(0, mostLines).map((line) => `dasmon ${command}: ${line}`)),
    new ProgramFailed({ exitCode: 2 })
  )

const mostLines = 20
