import { Console, Effect } from "effect"
import { loadConfig } from "../config/ConfigFile.ts"
import { isLoopback } from "../config/ListenAddress.ts"
import { showConfig } from "../config/ShowConfig.ts"

/** Reads a configuration and prints what the program would run with; secrets are masked. */
export const run = Effect.fn("CheckConfig.run")(function* (file: string) {
  const config = yield* loadConfig(file)
  yield* Console.log(`# ${file}, with the defaults of what it does not set`)
  yield* Console.log(showConfig(config).trimEnd())
  const warnings = warningsOf(config)
  yield* Effect.forEach(warnings, (warning) => Console.error(`dasmon: ${warning}`), { discard: true })
})

/** What is allowed but seldom meant. */
const warningsOf = (config: Effect.Effect.Success<ReturnType<typeof loadConfig>>): ReadonlyArray<string> => {
  const { beaconApi, http, httpAddr, peers } = config
  const isOpen = !isLoopback(httpAddr.host)
  return [
    ...(beaconApi === undefined ? ["beacon_api is not set: `dasmon run` needs it"] : []),
    ...(peers.length === 0 ? ["peers is empty: only peers that connect to this node will be watched"] : []),
    ...(isOpen && http.token === undefined
      ? [`http_addr is open to the network (${httpAddr.host}), and http.token is not set`]
      : [])
  ]
}
