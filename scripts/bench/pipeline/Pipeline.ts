import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { Console, Effect, Schema } from "effect"
import { makeBlobPool } from "../../../src/devnet/chain/BlobPool.ts"
import type { Bench } from "../Bench.ts"
import { firstLineOf } from "../FirstLine.ts"
import { measureKzg } from "../kzg/MeasureKzg.ts"
import { writePool } from "../kzg/PoolFile.ts"
import { blobNetwork, firstSlot } from "./BlobNetwork.ts"
import { LooksMeasured, LooksQuestion } from "./LooksMeasured.ts"
import { pipelineTable, type Scenario } from "./PipelineTable.ts"
import { threadsFolder } from "./CpuTimes.ts"

/**
 * What a column costs from the socket to the verdict, against what c-kzg alone takes for its cells: the first time that it
 * is seen, and when another peer sends it again. Nothing paces the probes, and nothing records them.
 */
export const pipeline: Bench = {
  name: "pipeline",
  description: "columns over TCP and Noise to their verdict, seen for the first time and again, against c-kzg alone",
  run: ({ folder, quick }) =>
    Effect.gen(function* () {
      if (process.platform !== "linux")
        return yield* Effect.fail("pipeline needs Linux, which tells the CPU time of a thread")
      const six = yield* scenario(join(folder, "6"), { blobs: 6, windows: quick ? 2 : 12 }, quick)
      const most = yield* scenario(join(folder, "21"), { blobs: 21, windows: quick ? 1 : 5 }, quick)
      return [pipelineTable([six, most])]
    })
}

interface Size {
  readonly blobs: number
  readonly windows: number
}

const scenario = (folder: string, { blobs, windows }: Size, quick: boolean): Effect.Effect<Scenario, unknown> =>
  Effect.gen(function* () {
    const pool = `${folder}.pool`
    writePool(pool, yield* makeBlobPool(poolSeed, Math.max(blobs, poolSize)))
    const raw = Effect.map(
      measureKzg({
        pool,
        seconds: quick ? 1 : 3,
        shapes: [{ blocks: Math.ceil(largeCall / (128 * blobs)), blobs, columns: 128 }]
      }),
      ({ shapes }) => shapes[0]?.cellsPerCpuSecond ?? 0
    )
    const before = yield* raw
    const measured = yield* looks(folder, blobs, windows)
    const after = yield* raw
    yield* Console.log(`${blobs} blobs: ${JSON.stringify({ raw: [before, after], ...measured })}`)
    return { blobs, raw: [before, after] as const, measured }
  })

const poolSeed = 43
const poolSize = 12
/** Cells of a call that c-kzg is fastest with, about. */
const largeCall = 4_096

const looks = (folder: string, blobs: number, windows: number) =>
  Effect.gen(function* () {
    const { beaconApi, enrs } = yield* blobNetwork(blobs)
    yield* Effect.sync(() => mkdirSync(folder))
    const question = yield* Schema.encode(LooksQuestion)({ beaconApi, peers: enrs, firstSlot, warmUp: 1, windows })
    const line = yield* firstLineOf(new URL("./Monitoring.js", import.meta.url), [question], "10 minutes", {
      options: ["--import", fileURLToPath(new URL("./MarkThread.js", import.meta.url))],
      variables: { [threadsFolder]: folder }
    })
    const measured = yield* Schema.decode(LooksMeasured)(line)
    const { first, second } = measured
    if (first.columns === 0 || first.columns !== second.columns) {
      return yield* Effect.fail(`${first.columns} columns were verified at first, and ${second.columns} again`)
    }
    return measured
  }).pipe(Effect.scoped)
