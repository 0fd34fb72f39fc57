import { Effect } from "effect"
import { type NetworkName, presetOf } from "../domain/network/NetworkName.ts"

/**
 * Makes the types of blocks those of the named network. To be run before anything of a network is loaded: the library
 * settles it when it is loaded, here and in every thread, and takes it from the environment.
 */
export const usePresetOf = (network: NetworkName | undefined): Effect.Effect<void> =>
  Effect.sync(() => {
    if (network !== undefined) process.env["LODESTAR_PRESET"] = presetOf[network]
  })
