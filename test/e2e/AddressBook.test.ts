import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Layer, Stream } from "effect"
import * as ChainCommitments from "../../src/chain/ChainCommitments.ts"
import { makeConfig } from "../../src/config/DecodeConfig.ts"
import { Dasmon } from "../../src/Dasmon.ts"
import { makeDevnet } from "../../src/devnet/Devnet.ts"
import { Discovery } from "../../src/discovery/Discovery.ts"
import { parsePeerAddress } from "../../src/domain/peer/PeerAddress.ts"
import * as MemoryEventBus from "../../src/events/MemoryEventBus.ts"
import * as MemoryEvidence from "../../src/evidence/MemoryEvidence.ts"
import * as ReportsInline from "../../src/history/report/ReportsInline.ts"
import * as SqliteHistory from "../../src/history/store/SqliteHistory.ts"
import * as Standalone from "../../src/host/Standalone.ts"
import * as InlineRecoverer from "../../src/kzg/InlineRecoverer.ts"
import * as InlineVerifier from "../../src/kzg/InlineVerifier.ts"
import { Daemons } from "../../src/runtime/Daemon.ts"
import { Doubts } from "../../src/runtime/Doubts.ts"
import { eventually } from "../Eventually.ts"
import { temporaryFolder } from "./Network.ts"

describe("the address book of a monitor", () => {
  it.scopedLive(
    "has it meet those again, after a restart, whom discovery found before",
    () =>
      Effect.gen(function* () {
        const peers = ["honest", "honest", "honest", "supernode"] as const
        const network = yield* makeDevnet({ peers: [...peers], slotDuration: Duration.millis(500), seed: 12 })
        const home = yield* temporaryFolder
        const config = yield* makeConfig({
          databasePath: join(home, "dasmon.db"),
          testInterval: "500ms",
          peerRefreshInterval: "4s",
          targetPeers: 4,
          peersPerColumn: 1
        })
        const host = Standalone.layer({ url: network.beaconApi, version: "0.0.0", identityFile: join(home, "key") })
        const untilAudited = Effect.flatMap(Dasmon, (dasmon) =>
          eventually(
            Effect.map(dasmon.status, ({ audit, peers }) => {
              assert.deepInclude(audit, { known: 4, reachable: 4, audited: { hour: 4, day: 4, window: 4 } })
              assert.deepInclude(peers, { tracked: 4, connected: 4 })
              assert.strictEqual(peers.verdicts.compliant, 4)
            }),
            "60 seconds",
            "200 millis"
          )
        )
        const path = config.databasePath
        const monitor = Dasmon.layerOver(config, { simulated: true }).pipe(
          Layer.provide([
            SqliteHistory.layer({ path }),
            ReportsInline.layer({ path }),
            MemoryEvidence.layer(),
            InlineVerifier.layerInline,
            InlineRecoverer.layerInline,
            MemoryEventBus.layer(),
            ChainCommitments.layer({ window: config.samplingStrategy.historyWindow, mode: "background" })
          ]),
          Layer.provide(host),
          Layer.provide([Daemons.layer, Doubts.layer])
        )
        const nodes = yield* Effect.forEach(network.peers, (peer) =>
          Effect.gen(function* () {
            const enr = yield* peer.enr
            return { address: yield* parsePeerAddress(enr), source: "discv5" as const, enr }
          })
        )
        yield* untilAudited.pipe(Effect.provide(Layer.provide(monitor, Discovery.layerOf(Stream.fromIterable(nodes)))))
        yield* Effect.provide(untilAudited, Layer.provide(monitor, Discovery.layerNone))
      }),
    180_000
  )
})
