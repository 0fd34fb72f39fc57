import { Duration, Effect, Layer, Option } from "effect"
import * as ChainCommitments from "../../chain/ChainCommitments.ts"
import type { NetworkName } from "../../domain/network/NetworkName.ts"
import { defaultBounds } from "../../evidence/EvidenceStore.ts"
import * as FolderEvidence from "../../evidence/FolderEvidence.ts"
import * as MemoryEvidence from "../../evidence/MemoryEvidence.ts"
import { Externs } from "../../host/Externs.ts"
import * as Standalone from "../../host/Standalone.ts"
import * as WorkerVerifier from "../../kzg/WorkerVerifier.ts"
import { ProbeWorkers } from "../../probe/ProbeWorkers.ts"
import { SelfDoubt } from "../../probe/SelfDoubt.ts"
import { LoopLag } from "../../runtime/LoopLag.ts"
import * as KeepFacts from "../../scan/KeepFacts.ts"
import { Scanner } from "../../scan/Scanner.ts"
import { version } from "../../Version.ts"
import { locatorLayer } from "../Locate.ts"

/** What a run of scans goes by. */
export interface ScanSources {
  readonly beaconApi: ReadonlyArray<string>
  readonly network: NetworkName | undefined
  readonly fallback?: string | undefined
  readonly trustBeaconRoots: boolean
  readonly agent?: string | undefined
  /** A monitor's database, which may know where a peer is; it is only read. */
  readonly database: string
  /** Where evidence is kept; nowhere if left out. */
  readonly evidenceFolder: Option.Option<string>
  readonly confirmAfter: Duration.Duration
  /** Targets at once. */
  readonly concurrency: number
}

/**
 * A scanner of its own: an identity that exists only in memory and listens nowhere, and no more of the chain than a scan
 * needs. It stands beside a running monitor without touching anything of it.
 */
export const scannerLayer = (sources: ScanSources) => {
  const host = Standalone.layer({
    url: sources.beaconApi,
    network: sources.network,
    trustBeaconRoots: sources.trustBeaconRoots,
    version,
    agent: sources.agent,
    listen: [],
    startLimit: "20 seconds",
    ...(sources.fallback === undefined ? {} : { fallbackUrl: sources.fallback })
  })
  const chain = Layer.unwrapEffect(
    Effect.map(Externs, ({ chain }) =>
      ChainCommitments.layer({
        window: Duration.millis(nearEpochs * chain.slotsPerEpoch * chain.slotDurationMs),
        mode: "off"
      })
    )
  )
  const locator = locatorLayer(sources)
  return Scanner.layer.pipe(
    Layer.provide(SelfDoubt.layer(sources)),
    Layer.provide(KeepFacts.layer),
    Layer.provide([
      chain,
      locator,
      LoopLag.layer,
      ProbeWorkers.layer(sources.concurrency),
      WorkerVerifier.layerWorkers(),
      Option.match(sources.evidenceFolder, {
        onNone: () => MemoryEvidence.layer(),
        onSome: (path) => FolderEvidence.layer({ path, ...defaultBounds })
      })
    ]),
    Layer.provide(host)
  )
}

/** The finalized checkpoints, ours and those of peers, lie within. */
const nearEpochs = 5
