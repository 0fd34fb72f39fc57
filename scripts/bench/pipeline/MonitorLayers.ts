import { join } from "node:path"
import { Duration, Layer } from "effect"
import * as ChainCommitments from "../../../src/chain/ChainCommitments.ts"
import { defaultConfig } from "../../../src/config/Config.ts"
import { kzgParts } from "../../../src/ConfiguredParts.ts"
import * as Standalone from "../../../src/host/Standalone.ts"
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
    Layer.provide(kzgParts({ ...defaultConfig, databasePath: join(folder, "dasmon.db") })),
    Layer.provideMerge(ChainCommitments.layer({ window: Duration.days(18), mode: "preload" })),
    Layer.provideMerge(Standalone.layer({ url: beaconApi, version: "bench", listen: [] }))
  )
