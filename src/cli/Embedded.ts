import { fileURLToPath } from "node:url"
import * as Command from "@effect/platform/Command"
import * as FileSystem from "@effect/platform/FileSystem"
import type { CommandExecutor } from "@effect/platform"
import { Console, Effect, Layer, Option, Schema, type Scope, Stream } from "effect"
import { type ConfigInput, identityFileOf } from "../config/Config.ts"
import { makeConfig } from "../config/DecodeConfig.ts"
import { bootnodesOf } from "../config/NetworkConfig.ts"
import { DevnetAnnouncement } from "../devnet/RunDevnet.ts"
import { claimedCustody } from "../ConfiguredParts.ts"
import * as Configured from "../discovery/Configured.ts"
import * as Standalone from "../host/Standalone.ts"
import { Daemons } from "../runtime/Daemon.ts"
import { Doubts } from "../runtime/Doubts.ts"
import { version } from "../Version.ts"
import * as Monitor from "./Monitor.ts"
import * as TellOwnRecord from "./TellOwnRecord.ts"

/** What of the embedded network can be chosen on the command line. */
export interface EmbeddedOptions {
  /** Arguments for the `devnet` command, as they are. */
  readonly devnetArguments: ReadonlyArray<string>
  readonly httpAddr: Option.Option<string>
}

/** The embedded network could not be started, or ended before it was told to. */
export class EmbeddedDevnetError extends Schema.TaggedError<EmbeddedDevnetError>()("EmbeddedDevnetError", {
  reason: Schema.String
}) {
  override get message(): string {
    return `the embedded devnet ${this.reason}`
  }
}

/**
 * The program without a configuration: a network of honest and dishonest peers in a process of its own, watched as a
 * real one would be. Nothing is kept: the database is in a temporary folder.
 */
export const run = Effect.fn("Embedded.run")(
  function* (options: EmbeddedOptions) {
    yield* Console.log("dasmon: no configuration given, so this is a SIMULATION")
    yield* Console.log(
      "  an embedded network of honest and dishonest peers on this machine; nothing of Ethereum is measured"
    )
    yield* Console.log("  to watch a real network: dasmon run --config FILE   (help: dasmon --help)\n")
    yield* Console.log("starting the embedded network …")
    const { announcement, exited } = yield* startDevnet(options.devnetArguments)
    yield* Console.log(
      `${announcement.peers.length} peers are up, to be found by discv5 (beacon API: ${announcement.beaconApi})`
    )

    const fs = yield* FileSystem.FileSystem
    const folder = yield* fs.makeTempDirectoryScoped({ prefix: "dasmon-" })
    const config = yield* makeConfig(embeddedConfig(announcement, folder, options))
    const profiles = new Map(announcement.peers.map(({ peerId, profile }) => [peerId, profile]))
    const custodyGroupCount = claimedCustody(config)
    const host = Standalone.layer({
      url: announcement.beaconApi,
      version,
      identityFile: identityFileOf(config),
      custodyGroupCount
    })
    const world = TellOwnRecord.layer(Console.log).pipe(
      Layer.provideMerge(Configured.layer(config, { bootEnrs: bootnodesOf(config), custodyGroupCount })),
      Layer.provideMerge(host)
    )
    const monitor = Monitor.layer(config, { simulated: true, note: (peerId) => profiles.get(peerId) ?? "" }, world)
    // Not a race: a race that is interrupted lets go of the folder while the monitor is still closing.
    return yield* Effect.scoped(Effect.zipRight(Layer.build(monitor), exited))
  },
  Effect.scoped,
  Effect.provide([Daemons.layer, Doubts.layer])
)

/** Quicker than the defaults, and over loopback: all that can be found is found within two minutes, and each slot is sampled in time. */
const embeddedConfig = (
  announcement: DevnetAnnouncement,
  folder: string,
  { httpAddr }: EmbeddedOptions
): ConfigInput => ({
  beaconApi: announcement.beaconApi,
  databasePath: `${folder}/dasmon.db`,
  testInterval: "2s",
  peerRefreshInterval: "4s",
  confirmAfter: "6s",
  sampling: { maxSlots: 16, maxColumns: 8, dailyBytes: "off" },
  bandwidthLimit: "off",
  workers: 12,
  bootnodes: [announcement.bootnode],
  discovery: { listenAddresses: ["/ip4/127.0.0.1/udp/0"], beaconPeers: false },
  ...(Option.isSome(httpAddr) ? { httpAddr: httpAddr.value } : {})
})

const startDevnet = (
  devnetArguments: ReadonlyArray<string>
): Effect.Effect<
  { readonly announcement: DevnetAnnouncement; readonly exited: Effect.Effect<never, EmbeddedDevnetError> },
  EmbeddedDevnetError,
  CommandExecutor.CommandExecutor | Scope.Scope
> =>
  Effect.gen(function* () {
    const main = fileURLToPath(new URL("../main.js", import.meta.url))
    const child = yield* Command.make(
      process.execPath,
      "--enable-source-maps",
      main,
      "devnet",
      "--stop-with-stdin",
      ...devnetArguments
    ).pipe(
      Command.stdin("pipe"),
      Command.stderr("inherit"),
      Command.start,
      Effect.mapError((error) => new EmbeddedDevnetError({ reason: `could not be started: ${error.message}` }))
    )
    const exited = child.exitCode.pipe(
      Effect.mapError((error) => new EmbeddedDevnetError({ reason: `ended: ${error.message}` })),
      Effect.flatMap((code) => new EmbeddedDevnetError({ reason: `ended with exit code ${code}` }))
    )
    const firstLine = child.stdout.pipe(
      Stream.decodeText(),
      Stream.splitLines,
      Stream.runHead,
      Effect.mapError((error) => new EmbeddedDevnetError({ reason: `printed no announcement: ${error.message}` })),
      Effect.flatMap(Option.match({ onNone: () => exited, onSome: Effect.succeed })),
      Effect.timeoutFail({
        duration: startLimit,
        onTimeout: () => new EmbeddedDevnetError({ reason: `was not up within ${startLimit}` })
      })
    )
    const announcement = yield* firstLine.pipe(
      Effect.flatMap(Schema.decode(Schema.parseJson(DevnetAnnouncement))),
      Effect.catchTag(
        "ParseError",
        (error) => new EmbeddedDevnetError({ reason: `printed something else than its announcement: ${error.message}` })
      )
    )
    return { announcement, exited }
  })

const startLimit = "60 seconds"
