import { join } from "node:path"
import { Duration, Effect, Layer } from "effect"
import * as ChainCommitments from "../../../src/chain/ChainCommitments.ts"
import { defaultConfig } from "../../../src/config/Config.ts"
import { Externs } from "../../../src/host/Externs.ts"
import * as Standalone from "../../../src/host/Standalone.ts"
import * as WorkerVerifier from "../../../src/kzg/WorkerVerifier.ts"
import { ProvenLedger } from "../../../src/ledger/ProvenLedger.ts"
import * as ProvenVerifier from "../../../src/ledger/ProvenVerifier.ts"
import * as SqliteLedger from "../../../src/ledger/SqliteLedger.ts"
import { SelfDoubt } from "../../../src/probe/SelfDoubt.ts"
import { Prober } from "../../../src/probe/Prober.ts"
import { LoopLag } from "../../../src/runtime/LoopLag.ts"

/**
 * What the program makes its probes with (`Dasmon.layer`, and `Standalone` below it): all but what paces and records them. The
 * ground truth of the whole window is there before anything begins. The ledger of proven columns is in a file in `folder`.
 */
export const monitorLayers = (beaconApi: string, folder: string) =>
  Prober.layer.pipe(
    Layer.provide([LoopLag.layer, SelfDoubt.layer({ confirmAfter: Duration.minutes(10) })]),
    Layer.provide(provenVerifier(folder)),
    Layer.provideMerge(ChainCommitments.layer({ window: Duration.days(18), mode: "preload" })),
    Layer.provideMerge(Standalone.layer({ url: beaconApi, version: "bench", listen: [] }))
  )

const provenVerifier = (folder: string) =>
  Layer.unwrapEffect(
    Effect.map(Externs, ({ chain }) => {
      const disk = SqliteLedger.layer({
        path: join(folder, "ledger"),
        network: chain,
        mostBytes: defaultConfig.kzg.ledgerSize
      })
      const ledger = ProvenLedger.layer({ memoryBytes: defaultConfig.kzg.ledgerMemory, keepSlots: 131_072 })
      return ProvenVerifier.layer.pipe(Layer.provide([WorkerVerifier.layerWorkers(), Layer.provide(ledger, disk)]))
    })
  )
