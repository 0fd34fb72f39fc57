import { Console, Effect, Layer, Stream } from "effect"
import { type Config, identityFileOf, secondIdentityFileOf } from "../config/Config.ts"
import { ConfigError } from "../config/ConfigError.ts"
import { bootnodesOf } from "../config/NetworkConfig.ts"
import { secondListenOf } from "../config/SecondIdentity.ts"
import { hangUps } from "../events/EventLog.ts"
import { claimedCustody } from "../ConfiguredParts.ts"
import * as Configured from "../discovery/Configured.ts"
import { checkUnused } from "../history/store/sqlite/Database.ts"
import * as Standalone from "../host/Standalone.ts"
import { daemon, Daemons } from "../runtime/Daemon.ts"
import { Doubts } from "../runtime/Doubts.ts"
import { version } from "../Version.ts"
import { lazy } from "./CommandParts.ts"
import * as Monitor from "./Monitor.ts"
import * as TellOwnRecord from "./TellOwnRecord.ts"

/** The program with a configuration: a real network, by the beacon node that it names. */
export const run = Effect.fn("Run.run")(
  function* (config: Config) {
    // The event log listens too, if there is one: whoever sends it does not want an end.
    yield* daemon("hang-ups", Stream.runDrain(hangUps))
    if (config.beaconApi === undefined) {
      return yield* new ConfigError({
        lines: [
          "beacon_api: is required: the http(s) URL of your beacon node (--beacon-api http://127.0.0.1:5052, or " +
            "DASMON_BEACON_API, or beacon_api in the file of --config)"
        ]
      })
    }
    yield* Console.log(`dasmon: watching the network of ${named(config.beaconApi)}; history in ${config.databasePath}`)
    // Before the node comes up: it would take the place, among its peers, of the one that runs with the same key.
    yield* checkUnused(config.databasePath)
    const fallback = config.backfill.beaconApi
    const measured = config.metrics.enabled ? { nodeMetrics: yield* nodeMetrics } : {}
    const host = Standalone.layer({
      url: config.beaconApi,
      network: config.network,
      trustBeaconRoots: config.trustBeaconRoots,
      version,
      agent: config.agent,
      identityFile: identityFileOf(config),
      listen: config.listenAddresses,
      metrics: measured.nodeMetrics,
      custodyGroupCount: claimedCustody(config),
      second: secondOf(config),
      ...(fallback === undefined ? {} : { fallbackUrl: fallback })
    })
    const world = TellOwnRecord.layer(Console.log).pipe(
      Layer.provideMerge(
        Configured.layer(config, { bootEnrs: bootnodesOf(config), custodyGroupCount: claimedCustody(config) })
      ),
      Layer.provideMerge(host)
    )
    return yield* Layer.launch(Monitor.layer(config, { simulated: false, note: () => "", ...measured }, world))
  },
  Effect.scoped,
  Effect.provide([Daemons.layer, Doubts.layer])
)

const nodeMetrics = Effect.flatMap(
  lazy(() => import("../wire/NodeMetrics.ts")),
  ({ makeNodeMetrics }) => makeNodeMetrics
)

/** Without credentials and paths, which may be secret. */
const named = (urls: ReadonlyArray<string>): string =>
  urls.map((url) => `${new URL(url).origin}${new URL(url).pathname === "/" ? "" : "/…"}`).join(", then ")

/** The second node, if there is to be one. */
const secondOf = (config: Config): Standalone.StandaloneOptions["second"] =>
  config.identities === 2
    ? {
        ...(config.secondAgent === undefined ? {} : { agent: config.secondAgent }),
        identityFile: secondIdentityFileOf(config),
        listen: secondListenOf(config)
      }
    : undefined
