import { existsSync } from "node:fs"
import * as FileSystem from "@effect/platform/FileSystem"
import { Duration, Effect, Layer, Option } from "effect"
import { type Config, identityFileOf } from "../../config/Config.ts"
import { bootnodesOf } from "../../config/NetworkConfig.ts"
import { Dasmon } from "../../Dasmon.ts"
import * as Configured from "../../discovery/Configured.ts"
import { checkUnused } from "../../history/store/sqlite/Database.ts"
import * as Standalone from "../../host/Standalone.ts"
import { Daemons } from "../../runtime/Daemon.ts"
import { Doubts } from "../../runtime/Doubts.ts"
import { version } from "../../Version.ts"
import type { BeaconChoice } from "../BeaconChoice.ts"
import { wrong } from "../Failure.ts"

/** Where the outcomes go. */
export interface Recording {
  readonly databasePath: string
  /** Why they are not kept; none where they are. */
  readonly instead: Option.Option<string>
}

/**
 * The database of the configuration where there is one that nobody writes to, or that of `--db`; else one that goes with
 * the scope, since a monitor that runs must not be disturbed.
 */
export const recordingFor = Effect.fnUntraced(function* (db: Option.Option<string>, config: Config) {
  const fs = yield* FileSystem.FileSystem
  if (Option.isSome(db)) {
    yield* Effect.catchTag(checkUnused(db.value), "HistoryError", ({ message }) => wrong("blobs", [message]))
    return { databasePath: db.value, instead: Option.none() } satisfies Recording
  }
  const { databasePath } = config
  const reason = !existsSync(databasePath)
    ? Option.some(`there is no ${databasePath}: give --db FILE to keep them`)
    : yield* checkUnused(databasePath).pipe(
        Effect.as(Option.none<string>()),
        Effect.catchTag("HistoryError", ({ message }) => Effect.succeedSome(message))
      )
  if (Option.isNone(reason)) return { databasePath, instead: reason } satisfies Recording
  const folder = yield* fs.makeTempDirectoryScoped({ prefix: "dasmon-" })
  return { databasePath: `${folder}/dasmon.db`, instead: reason } satisfies Recording
})

/**
 * The engine as it is run for a moment: it finds and connects peers as a monitor does, and asks them for nothing of its
 * own accord but one column each now and then. Where nothing is recorded its identity is a new one.
 */
export const engineFor = ({ beaconApi, config: base }: BeaconChoice, { databasePath, instead }: Recording) => {
  const { eventLogFile: _log, identityFile, ...rest } = base
  const config: Config = {
    ...rest,
    ...(identityFile === undefined || Option.isSome(instead) ? {} : { identityFile }),
    databasePath,
    identities: 1,
    workers: Math.max(base.workers, 16),
    testInterval: Duration.seconds(5),
    sampling: { ...base.sampling, maxColumns: 1, maxSlots: 1 },
    backfill: { ...base.backfill, mode: "off" },
    gossip: { ...base.gossip, mode: "off" }
  }
  const host = Standalone.layer({
    url: beaconApi,
    network: config.network,
    trustBeaconRoots: config.trustBeaconRoots,
    version,
    agent: config.agent,
    identityFile: identityFileOf(config),
    listen: config.listenAddresses,
    startLimit: "20 seconds",
    ...(config.backfill.beaconApi === undefined ? {} : { fallbackUrl: config.backfill.beaconApi })
  })
  const world = Layer.provideMerge(Configured.layer(config, { bootEnrs: bootnodesOf(config) }), host)
  return Dasmon.layer(config).pipe(Layer.provide(world), Layer.provide([Daemons.layer, Doubts.layer]))
}
