import { Duration, Schema } from "effect"
import { BeaconApis } from "./places/BeaconApis.ts"
import { BlockFilter } from "./BlockFilter.ts"
import { ByteLimit, ByteSize } from "./ByteSize.ts"
import { DiscoveryConfig } from "./DiscoveryConfig.ts"
import { GoDuration } from "./GoDuration.ts"
import { GossipConfig } from "./GossipConfig.ts"
import { HttpConfig } from "./HttpConfig.ts"
import { ListenAddress } from "./places/ListenAddress.ts"
import { ListenMultiaddrs } from "./places/ListenMultiaddr.ts"
import { networkKeys } from "./NetworkConfig.ts"
import { NodeFilter } from "./NodeFilter.ts"
import { peerList } from "./PeerList.ts"
import { isLaterThanSampled, perSlotKeys } from "./PerSlotKeys.ts"
import { peerSetKeys } from "./PeerSetKeys.ts"
import { DasProviders, ScoringConfig } from "./ScoringConfig.ts"
import { secondIdentityKeys } from "./SecondIdentity.ts"
import { choice, filePath, flag, httpUrl, optional, printableLine, whole, withDefault } from "./Values.ts"
import { XatuConfig, xatuKeys } from "./XatuConfig.ts"

/** A part of the configuration whose keys all have defaults. */
const section = <A, I extends object>(value: Schema.Schema<A, I>, empty: I) =>
  withDefault(value, () => Schema.decodeSync(value)(empty))

/** One probe at most, and each new block. */
const Sampling = Schema.Struct({
  ...perSlotKeys,
  maxColumns: withDefault(whole(1, 128), () => 16),
  maxSlots: withDefault(whole(1, 128), () => 8),
  /**
   * Bytes of columns a day and peer that sampling goes up to, for a peer with up to eight columns; in proportion more for
   * one with more, up to four times that. The default comes to 268 MB a day of a peer with four or eight, 1,074 MB of a
   * supernode; a sixteenth of that may be asked for at once, so that a new peer is judged soon.
   */
  dailyBytes: withDefault(ByteLimit("1MiB", "1TiB"), () => 256 * 2 ** 20),
  slotBias: withDefault(
    choice("uniform", "recent", "historical", "heavily_recent", "heavily_historical"),
    () => "uniform" as const
  )
})

const SamplingStrategy = Schema.Struct({
  /** How far back from the head slots are sampled. */
  historyWindow: withDefault(GoDuration("1s", "365d"), () => Duration.days(18)),
  /** Combinations that were never tested come before those that were. */
  preferUntested: withDefault(flag, () => true),
  /** Combinations that failed are tested again after `retryAfter`. */
  retryFailures: withDefault(flag, () => true),
  retryAfter: withDefault(GoDuration("0s", "365d"), () => Duration.hours(24))
})

const Backfill = Schema.Struct({
  /** Ground truth of old slots: only on demand, beside the sampling, or all of it before the sampling starts. */
  mode: withDefault(choice("off", "background", "preload"), () => "background" as const),
  /** Asked for old blocks that the beacon node does not have. */
  beaconApi: optional(httpUrl)
})

const Kzg = Schema.Struct({
  /** Threads that verify proofs; left out, all cores but one. */
  threads: optional(whole(1, 64)),
  /** Memory of the ledger of proven columns, which are not proven again. */
  ledgerMemory: withDefault(ByteSize("1MiB", "64GiB"), () => 32 * 2 ** 20),
  /** Whether the ledger is kept on disk too, beside the database. */
  ledgerOnDisk: withDefault(flag, () => true),
  /** What it may grow to there; the oldest slots go first. All columns of 18 days are 280 MiB. */
  ledgerSize: withDefault(ByteSize("16MiB", "1TiB"), () => 512 * 2 ** 20)
})

const Metrics = Schema.Struct({
  enabled: withDefault(flag, () => false),
  /** 0 takes any free one. */
  port: withDefault(whole(0, 65535), () => 9091)
})

const sections = {
  sampling: Sampling.fields,
  samplingStrategy: SamplingStrategy.fields,
  scoring: ScoringConfig.fields,
  blockFilter: BlockFilter.from.fields,
  nodeFilter: NodeFilter.fields,
  backfill: Backfill.fields,
  metrics: Metrics.fields,
  kzg: Kzg.fields,
  http: HttpConfig.fields,
  gossip: GossipConfig.fields,
  discovery: DiscoveryConfig.fields,
  xatu: xatuKeys
}

const fields = {
  ...networkKeys,
  /** The beacon nodes that are asked for the chain: the first that is well, then the others. */
  beaconApi: optional(BeaconApis),
  /** Takes its roots of blocks that this program hashes otherwise, where else nothing of their fork is judged. */
  trustBeaconRoots: withDefault(flag, () => false),
  databasePath: withDefault(filePath, () => "dasmon.db"),
  /** How long what was recorded is kept. */
  retention: withDefault(GoDuration("1m", "3650d"), () => Duration.days(18)),
  /** The private key of our libp2p node; made if it does not exist. */
  identityFile: optional(filePath),
  /** What our libp2p node calls itself to peers; `dasmon/<version>` if left out. */
  agent: optional(printableLine(128)),
  ...secondIdentityKeys,
  ...peerSetKeys,
  eventLogFile: optional(filePath),
  /** Bytes beyond which the event log is put aside, as `<file>.1`, and a fresh one begun. */
  eventLogMaxSize: withDefault(ByteSize("1KiB", "1TiB"), () => 100 * 2 ** 20),
  /** Event logs that were put aside and are kept. */
  eventLogKeep: withDefault(whole(0, 1000), () => 5),
  httpAddr: withDefault(ListenAddress, () => ({ host: "127.0.0.1", port: 9090 })),
  http: section(HttpConfig, {}),
  discovery: section(DiscoveryConfig, {}),
  gossip: section(GossipConfig, {}),
  /** Where our libp2p node listens for peers. */
  listenAddresses: withDefault(ListenMultiaddrs, () => ["/ip4/127.0.0.1/udp/0/quic-v1", "/ip4/127.0.0.1/tcp/0"]),
  /** Probes at once, over all peers. */
  workers: withDefault(whole(1, 256), () => 4),
  /**
   * Bytes of columns a second, over all peers. A thousand peers at the default `sampling.daily_bytes`, one in ten of them a
   * supernode, come to 4.0 MB a second.
   */
  bandwidthLimit: withDefault(ByteLimit("16KiB", "1TiB"), () => 4 * 2 ** 20),
  /** At least so long between two probes of one peer. */
  testInterval: withDefault(GoDuration("100ms", "1d"), () => Duration.seconds(10)),
  /** How long what a peer left out, refused or garbled is left alone before it is asked for again, and blamed. */
  confirmAfter: withDefault(GoDuration("1s", "1d"), () => Duration.minutes(10)),
  /** How far back a verdict looks. */
  verdictWindow: withDefault(GoDuration("1m", "365d"), () => Duration.days(7)),
  /** Between two looks at what a peer claims. */
  peerRefreshInterval: withDefault(GoDuration("1s", "1d"), () => Duration.seconds(10)),
  /** How long a peer that went away is kept. */
  reconnectionGrace: withDefault(GoDuration("0s", "7d"), () => Duration.minutes(5)),
  sampling: section(Sampling.pipe(Schema.filter(isLaterThanSampled)), {}),
  samplingStrategy: section(SamplingStrategy, {}),
  blockFilter: section(BlockFilter, {}),
  nodeFilter: section(NodeFilter, {}),
  backfill: section(Backfill, {}),
  metrics: section(Metrics, {}),
  kzg: section(Kzg, {}),
  /** Nothing is sent unless this is set. */
  xatu: optional(XatuConfig),
  peers: withDefault(peerList("peers"), () => []),
  /** Peers to keep connected, and to ask first; what they lack is held against them as against everyone. */
  dasProviders: withDefault(DasProviders, () => []),
  scoring: section(ScoringConfig, {})
}

/** Everything that can be set, with its default and its limits. Decodes from an object of the same keys, all optional. */
export const Config = Schema.Struct(fields)
export type Config = typeof Config.Type

/** A configuration as code or a file gives it: camelCase keys, durations and addresses as text. */
export type ConfigInput = typeof Config.Encoded

/** The keys of the configuration and, for a section, the keys in it. */
export const configKeys: ReadonlyMap<string, ReadonlyArray<string> | undefined> = new Map([
  ...Object.keys(fields).map((key) => [key, undefined] as const),
  ...Object.entries(sections).map(([key, inner]) => [key, Object.keys(inner)] as const)
])

/** How keys are written: as in `Config`, or as in a file. */
export type KeyStyle = "camelCase" | "snake_case"

/** A key of `Config` in this style. */
export const writtenKey = (key: string, style: KeyStyle): string =>
  style === "camelCase" ? key : key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/** Where the private key of the node is kept: next to the database unless it is set. */
export const identityFileOf = (config: { readonly databasePath: string; readonly identityFile?: string }): string =>
  config.identityFile ?? `${config.databasePath}.key`

/** Where the private key of the second node is kept: next to the first. */
export const secondIdentityFileOf = (config: Parameters<typeof identityFileOf>[0]): string =>
  `${identityFileOf(config)}.second`

/** Where events for Xatu wait on disk: next to the database unless it is set. */
export const spillFolderOf = (config: {
  readonly databasePath: string
  readonly xatu?: { readonly spillFolder?: string }
}): string => config.xatu?.spillFolder ?? `${config.databasePath}.xatu`

export const defaultConfig: Config = Schema.decodeSync(Config)({})
