import { statSync } from "node:fs"
import { join } from "node:path"
import { Duration, Effect, Layer, Schedule } from "effect"
import * as ChainCommitments from "../../../src/chain/ChainCommitments.ts"
import { CommitmentCache } from "../../../src/chain/CommitmentCache.ts"
import * as SqliteTiles from "../../../src/chain/disk/SqliteTiles.ts"
import { BeaconApi } from "../../../src/host/beacon-api/BeaconApi.ts"
import { Externs } from "../../../src/host/Externs.ts"
import { type Bench, rounded } from "../Bench.ts"
import { firstLineOf } from "../FirstLine.ts"
import { liveBytes } from "../LiveBytes.ts"
import { lateMs, loopDelay } from "../LoopDelay.ts"

/** How long the whole window takes to be known, over a beacon node on this machine, and again after a restart. */
export const backfill: Bench = {
  name: "backfill",
  description: "the ground truth of 131,072 slots from a Beacon API on this machine, and again from disk",
  run: ({ folder, quick }) =>
    Effect.scoped(
      Effect.gen(function* () {
        const slots = quick ? 8_192 : 131_072
        const url = yield* serve(slots, 6)
        const path = join(folder, "bench.db.chain")
        const first = yield* fill(url, path, slots)
        const second = yield* fill(url, path, slots)
        const row = (name: string, run: Effect.Effect.Success<ReturnType<typeof fill>>) => [
          name,
          slots,
          rounded(run.seconds, 1),
          Math.round(slots / run.seconds),
          run.requests,
          Math.round(run.grownBytes / 2 ** 20),
          rounded(run.delayP99, 1),
          rounded(run.fileBytes / 2 ** 20, 1)
        ]
        return [
          {
            title: "ground truth of the window, 6 blobs a block",
            columns: [
              "from",
              "slots",
              "seconds",
              "slots/s",
              "block requests",
              "resident MiB more",
              "loop delay p99 ms",
              "file MiB"
            ],
            rows: [row("the Beacon API", first), row("disk", second)],
            summary: {
              slots,
              seconds: rounded(first.seconds, 1),
              secondsFromDisk: rounded(second.seconds, 1),
              requests: first.requests,
              requestsFromDisk: second.requests,
              grownMiB: Math.round(first.grownBytes / 2 ** 20),
              liveMiB: Math.round(first.liveBytes / 2 ** 20),
              delayP99Ms: rounded(first.delayP99, 1),
              fileMiB: rounded(first.fileBytes / 2 ** 20, 1)
            }
          }
        ]
      })
    )
}

const serve = (slots: number, commitments: number) =>
  firstLineOf(new URL("./ServeBlocks.js", import.meta.url), [String(slots), String(commitments)], "2 minutes")

const blockRequests = (url: string) => Effect.promise(async () => Number(await (await fetch(`${url}/requests`)).json()))

const fill = (url: string, path: string, slots: number) =>
  Effect.scoped(
    Effect.gen(function* () {
      const asked = yield* blockRequests(url)
      const before = process.memoryUsage().rss
      const liveBefore = liveBytes()
      let most = before
      const delays = loopDelay()
      delays.enable()
      const begin = performance.now()
      const cache = yield* CommitmentCache
      yield* Effect.gen(function* () {
        most = Math.max(most, process.memoryUsage().rss)
        const { known } = yield* cache.progress
        const { stored } = yield* cache.backfill
        // All that is final is on disk: the newest three epochs are not.
        return known >= slots - 1 && stored >= slots - 160
      }).pipe(
        Effect.repeat({ until: (isDone) => isDone, schedule: Schedule.spaced("100 millis") }),
        Effect.timeout("30 minutes")
      )
      const seconds = (performance.now() - begin) / 1000
      delays.disable()
      return {
        seconds,
        requests: (yield* blockRequests(url)) - asked,
        grownBytes: most - before,
        liveBytes: liveBytes() - liveBefore,
        delayP99: lateMs(delays.percentile(99)),
        fileBytes: statSync(path).size
      }
    }).pipe(Effect.provide(layerCache(url, path, slots)))
  )

/** As in `ServeBlocks`. */
const slotSeconds = 12

const layerCache = (url: string, path: string, slots: number) =>
  // All of them, for as long as this may take: the clock goes on, and the chain of the benchmark does not.
  ChainCommitments.layer({ window: Duration.seconds(slots * slotSeconds + 3_600), mode: "background" }).pipe(
    Layer.provide(Layer.unwrapEffect(Effect.map(Externs, ({ chain }) => SqliteTiles.layer({ path, network: chain })))),
    Layer.provide(
      Layer.effect(
        Externs,
        Effect.map(BeaconApi, (api) =>
          Externs.of({
            chain: api.chain,
            peerRefresh: () => Effect.dieMessage("nobody is asked"),
            chainQuery: api.blocks,
            chainHead: api.head,
            chainEvents: api.events
          })
        )
      )
    ),
    Layer.provide(BeaconApi.layer({ url }))
  )
