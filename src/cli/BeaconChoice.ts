import { Effect, Option } from "effect"
import { type BeaconFlags, lazy } from "./CommandParts.ts"
import { wrong } from "./Failure.ts"
import { usePresetOf } from "./Preset.ts"
import { loadConfiguration, SettingFlags } from "./Settings.ts"

/**
 * The configuration by which a command looks at single nodes, and its beacon nodes: by flags, variables and the file, as
 * `run` has it. To be run before anything of a network is loaded.
 */
export const beaconChoice = Effect.fn("BeaconChoice.beaconChoice")(function* (command: string, flags: BeaconFlags) {
  const { givenOf } = yield* lazy(() => import("../config/settings/Flags.ts"))
  const given = givenOf(
    new Map([
      ["--network", Option.toArray(flags.network)],
      ["--beacon-api", flags.beaconApi]
    ])
  )
  const { config, file } = yield* Effect.provideService(loadConfiguration(flags.config), SettingFlags, given)
  yield* usePresetOf(config.network)
  const { beaconApi } = config
  if (beaconApi !== undefined) return { beaconApi, config }
  return yield* wrong(command, [
    file === undefined
      ? "name a beacon node of the network, a public one will do: --beacon-api URL, or --config FILE that has beacon_api"
      : `${file} names no beacon_api: add it, or give --beacon-api URL`
  ])
})

/** What was chosen. */
export type BeaconChoice = Effect.Effect.Success<ReturnType<typeof beaconChoice>>
