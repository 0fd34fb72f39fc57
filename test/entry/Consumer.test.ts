import { FetchHttpClient, HttpApiClient } from "@effect/platform"
import { assert, describe, it } from "@effect/vitest"
import {
  ChainCommitments,
  type ChainParameters,
  Dasmon,
  Externs,
  makeConfig,
  MemoryEventBus,
  MemoryEvidence,
  MemoryReports,
  Recoverer,
  Verifier
} from "dasmon"
import { DevnetError, makeDevnet, profileNames } from "dasmon/devnet"
import { Libp2pHost } from "dasmon/host"
import { Api, HttpServer, MetricsRecorder } from "dasmon/http"
import { Xatu, type XatuConfig } from "dasmon/xatu"
import { Effect, Layer, Stream } from "effect"

const chain: ChainParameters = {
  network: "consumer",
  genesisTime: 1_700_000_000,
  genesisValidatorsRoot: new Uint8Array(32),
  slotDurationMs: 12_000,
  slotsPerEpoch: 32,
  forks: [{ name: "fulu", version: Uint8Array.of(6, 0, 0, 1), epoch: 0 }],
  blobSchedule: [],
  maxBlobsPerBlockElectra: 9,
  retentionEpochs: 4096
}
const root = `0x${"00".repeat(32)}`

/** A chain without blocks. */
const externs = Layer.mock(Externs, {
  chain,
  chainHead: Effect.succeed({ slot: 100, root }),
  chainQuery: () => Effect.succeed([]),
  chainEvents: Stream.never
})

/** What peers would be told of us, if there were any. */
const status = Effect.succeed({
  forkDigest: "0x00000000",
  finalizedRoot: root,
  finalizedEpoch: 0,
  headRoot: root,
  headSlot: 100,
  earliestAvailableSlot: 100
})

const monitor = Layer.unwrapEffect(
  Effect.map(makeConfig({}), (config) => Dasmon.layerOver(config, { simulated: true }))
).pipe(
  Layer.provide([
    MemoryReports.layer,
    MemoryEvidence.layer(),
    MemoryEventBus.layer(),
    Layer.mock(Verifier, {}),
    Layer.mock(Recoverer, {}),
    ChainCommitments.layer({ window: "1 hour", mode: "off" })
  ]),
  Layer.provide([externs, Libp2pHost.layer({ version: "consumer", status })])
)

/** For the compiler alone: nothing is shipped here. */
export const shipped = (config: XatuConfig) =>
  Xatu.layer(config, { version: "consumer", spillFolder: "spill" }).pipe(Layer.provide(monitor))

describe("a program that knows the packages by their names alone", () => {
  it.scopedLive("runs the monitor and asks its API", () =>
    Effect.gen(function* () {
      const { url } = yield* HttpServer.HttpAddress
      const client = yield* HttpApiClient.make(Api, { baseUrl: url })
      assert.deepInclude(yield* client.status({}), { network: "consumer", headSlot: 100 })
    }).pipe(
      Effect.provide(
        HttpServer.layer({ host: "127.0.0.1", port: 0 }).pipe(
          Layer.merge(MetricsRecorder.layer),
          Layer.provide(monitor),
          Layer.merge(FetchHttpClient.layer)
        )
      )
    )
  )

  it.scoped("is told by the devnet what cannot be", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(makeDevnet({ historyEpochs: 0 }))
      assert.instanceOf(error, DevnetError)
      assert.include(profileNames, "withhold")
    })
  )
})
