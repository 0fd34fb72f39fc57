import { Console, Effect, type Option } from "effect"
import type { Config } from "../config/Config.ts"
import { isLoopback } from "../config/places/ListenAddress.ts"
import { bootnodesOf } from "../config/NetworkConfig.ts"
import { settings } from "../config/settings/Setting.ts"
import { showConfig } from "../config/ShowConfig.ts"
import { loadConfiguration } from "./Settings.ts"

/** Reads a configuration and prints what the program would run with, and why; secrets are masked. */
export const run = Effect.fn("CheckConfig.run")(function* (named: Option.Option<string>) {
  const { config, file, sourceOf } = yield* loadConfiguration(named)
  yield* Console.log(`# ${file ?? "no file"}; behind each value is where it comes from`)
  yield* Console.log(showConfig(config, sourceOf).trimEnd())
  const unset = unsetKeys(config)
  if (unset.length > 0) yield* Console.log(`# not set: ${unset.join(", ")}`)
  yield* Effect.forEach(warningsOf(config), (warning) => Console.error(`dasmon: ${warning}`), { discard: true })
})

/** Those that have no value, since they have no default; of a section that is not there, all. */
const unsetKeys = (config: Config): ReadonlyArray<string> => {
  const values: ReadonlyMap<string, unknown> = new Map(Object.entries(config))
  const isUnset = ([first, second]: ReadonlyArray<string>): boolean => {
    const value = values.get(first ?? "")
    return value === undefined || (second !== undefined && !Object.hasOwn(Object(value), second))
  }
  return settings.filter(({ key }) => isUnset(key)).map(({ path }) => path.join("."))
}

/** What is allowed but seldom meant. */
export const warningsOf = (config: Config): ReadonlyArray<string> => {
  const { beaconApi, http, httpAddr } = config
  const isOpen = !isLoopback(httpAddr.host)
  return [
    ...(beaconApi === undefined ? ["beacon_api is not set: `dasmon run` needs it"] : []),
    ...(hasSourceOfPeers(config)
      ? []
      : [
          "no source of peers is on (peers, discovery.beacon_peers, discovery.enr_file, or discovery.discv5 with network " +
            "or bootnodes): only those that connect to this node will be watched"
        ]),
    ...(isOpen && http.token === undefined
      ? [`http_addr is open to the network (${httpAddr.host}), and http.token is not set`]
      : [])
  ]
}

const hasSourceOfPeers = (config: Config): boolean =>
  config.peers.length > 0 ||
  config.dasProviders.length > 0 ||
  config.discovery.beaconPeers ||
  config.discovery.enrFile !== undefined ||
  bootnodesOf(config).length > 0
