import { Duration, Effect, Layer, Option } from "effect"
import type { SlotSamplingOptions } from "./availability/SamplingOptions.ts"
import { blockFilterRange } from "./config/BlockFilter.ts"
import type { Config } from "./config/Config.ts"
import { nodeFilterAllows } from "./config/NodeFilter.ts"
import { custodyFileOf, ledgerFileOf } from "./config/places/OwnPaths.ts"
import type { CustodyOptions } from "./custody/Custody.ts"
import * as SqliteCustody from "./custody/SqliteCustody.ts"
import { usualMargins } from "./domain/peer/ClaimHistory.ts"
import { Externs } from "./host/Externs.ts"
import * as WorkerSignatures from "./bls/WorkerSignatures.ts"
import { KzgThreads } from "./kzg/KzgThreads.ts"
import * as WorkerRecoverer from "./kzg/WorkerRecoverer.ts"
import * as WorkerVerifier from "./kzg/WorkerVerifier.ts"
import { ProvenLedger } from "./ledger/ProvenLedger.ts"
import * as ProvenVerifier from "./ledger/ProvenVerifier.ts"
import * as SqliteLedger from "./ledger/SqliteLedger.ts"
import type { PeerFacts } from "./peers/PeerActor.ts"
import type { PeersOptions } from "./peers/Peers.ts"
import type { PeerSetOptions } from "./peers/set/PeerSet.ts"
import type { SamplerOptions } from "./sampler/Sampler.ts"

/** How the sampler is run under a configuration. */
export const samplerOptions = (config: Config): SamplerOptions => ({
  maxColumns: config.sampling.maxColumns,
  maxSlots: config.sampling.maxSlots,
  slotBias: config.sampling.slotBias,
  maxCombinations,
  preferUntested: config.samplingStrategy.preferUntested,
  retryFailures: config.samplingStrategy.retryFailures,
  retryAfter: config.samplingStrategy.retryAfter,
  historyWindow: config.samplingStrategy.historyWindow,
  blockFilter: (headSlot) => blockFilterRange(config.blockFilter, headSlot),
  margins: usualMargins
})

/** How each new block is sampled under a configuration. */
export const slotSamplingOptions = ({ gossip, sampling }: Config): SlotSamplingOptions => ({
  perSlot: sampling.perSlot,
  samplesPerSlot: sampling.samplesPerSlot,
  sampleAt: Option.fromNullable(sampling.sampleAt),
  deadline: Option.fromNullable(sampling.deadline),
  custodyGroupCount: gossip.custodyGroupCount
})

/** How peers are run under a configuration. */
export const peersOptions = (config: Config): PeersOptions => ({
  addresses: config.peers,
  providers: config.dasProviders,
  disconnectBelow: Option.fromNullable(config.scoring.disconnectBelow),
  allows: allows(config),
  testInterval: config.testInterval,
  refreshInterval: config.peerRefreshInterval,
  dailyBytes: config.sampling.dailyBytes,
  grace: config.reconnectionGrace,
  confirmAfter: config.confirmAfter,
  verdictWindow: config.verdictWindow,
  maxPeers: 10_000
})

/** How the peer set is run under a configuration. */
export const peerSetOptions = (config: Config): PeerSetOptions => ({
  ...peersOptions(config),
  addresses: [...config.peers, ...config.dasProviders],
  targetPeers: config.targetPeers,
  peersPerColumn: config.peersPerColumn
})

/** KZG under a configuration: verifier, which proves each column once, and recoverer have the same worker threads. */
export const kzgParts = ({
  databasePath,
  kzg,
  samplingStrategy
}: Pick<Config, "databasePath" | "kzg" | "samplingStrategy">) =>
  Layer.unwrapEffect(
    Effect.map(Externs, ({ chain }) => {
      const path = ledgerFileOf({ databasePath })
      const disk = SqliteLedger.layer({ path, network: chain, mostBytes: kzg.ledgerSize })
      const ledger = ProvenLedger.layer({
        memoryBytes: kzg.ledgerMemory,
        keepSlots: Math.ceil(Duration.toMillis(samplingStrategy.historyWindow) / chain.slotDurationMs)
      })
      return ProvenVerifier.layer.pipe(
        Layer.provide([WorkerVerifier.layer(), kzg.ledgerOnDisk ? Layer.provide(ledger, disk) : ledger]),
        Layer.merge(Layer.merge(WorkerRecoverer.layer(), WorkerSignatures.layer)),
        Layer.provide(KzgThreads.layer(kzg.threads === undefined ? {} : { size: kzg.threads }))
      )
    })
  )

/** What a careful node asks of a stranger at once: slots × columns. */
const maxCombinations = 512

/** A peer whose agent is not known yet is let through where only its agent could let it through. */
const allows =
  ({ nodeFilter }: Config) =>
  (peer: PeerFacts): boolean =>
    nodeFilterAllows(
      Option.isNone(peer.agent) && nodeFilter.include.some(({ _tag }) => _tag === "Agent")
        ? { ...nodeFilter, include: [] }
        : nodeFilter,
      peer
    )

/** How our own custody is run under a configuration. */
export const custodyOptions = ({ gossip }: Config): CustodyOptions => ({
  mode: gossip.mode,
  retention: gossip.custodyRetention,
  mostBytes: gossip.custodySize,
  serveBytesPerSecond: gossip.serveLimit,
  serveDailyBytes: gossip.serveDailyBytes,
  isBackfilling: gossip.custodyBackfill,
  reconstructAfter: gossip.reconstructAfter
})

/** The columns of our own beside the database, where a configuration has us keep any. */
export const keptColumns = (config: Config) =>
  config.gossip.mode === "participate"
    ? Layer.unwrapEffect(
        Effect.map(Externs, ({ chain }) => SqliteCustody.layer({ path: custodyFileOf(config), network: chain }))
      )
    : Layer.empty

/** The custody group count that our own node claims beyond the least, where a configuration has it keep columns. */
export const claimedCustody = ({ gossip }: Pick<Config, "gossip">): number | undefined =>
  gossip.mode === "participate" ? gossip.custodyGroupCount : undefined
