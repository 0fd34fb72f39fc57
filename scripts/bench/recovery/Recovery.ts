import ckzg from "c-kzg"
import { Effect, Layer, Option } from "effect"
import { makeBlobPool } from "../../../src/devnet/chain/BlobPool.ts"
import { encodeSidecar, makeBlock, sidecarOf } from "../../../src/devnet/chain/DevBlock.ts"
import { devnetParameters } from "../../../src/devnet/DevnetParameters.ts"
import type { Block } from "../../../src/domain/network/Block.ts"
import { KzgThreads } from "../../../src/kzg/KzgThreads.ts"
import { Recoverer } from "../../../src/kzg/Recoverer.ts"
import * as WorkerRecoverer from "../../../src/kzg/WorkerRecoverer.ts"
import { type Bench, rounded } from "../Bench.ts"

/** Blobs per core-second through the recoverer, everything of it included, against c-kzg's own recovery of the same rows. */
export const recovery: Bench = {
  name: "recovery",
  description:
    "what of c-kzg's own speed is left of a recovery in worker threads, its result proven against the commitments",
  run: ({ quick }) =>
    Effect.gen(function* () {
      const blobs = quick ? 6 : 21
      const rounds = quick ? 2 : 4
      const { block, cells, columns, first } = yield* halfOfBlock(blobs)
      const before = residentMiB()
      const kzg = KzgThreads.layer({ size: threads })
      return yield* Effect.gen(function* () {
        const perThread = (residentMiB() - before) / threads
        const { blobs: fetch, recover } = yield* Recoverer
        // The first calls of each side warm it up.
        yield* recover(block, columns, [0])
        raw(cells.slice(0, 1))
        const own: Array<Taken> = []
        const theirs: Array<Taken> = []
        // In turns: what else the machine does meets both alike.
        for (let round = 0; round < rounds; round++) {
          theirs.push(yield* measured(Effect.sync(() => raw(cells))))
          own.push(yield* measured(recover(block, columns)))
        }
        const plain = yield* measured(fetch(block, first))
        const [alone, recoverer] = [rateOf(theirs, blobs), rateOf(own, blobs)]
        const ratio = recoverer.perCoreSecond / alone.perCoreSecond
        return [
          {
            title: `A block of ${blobs} blobs from its 64 odd columns, ${rounds} times on each side`,
            columns: ["what", "blobs a core-second", "blobs a second", "of raw"],
            rows: [
              ["c-kzg alone, on one thread", rounded(alone.perCoreSecond), rounded(alone.perSecond), 1],
              [
                "through the Recoverer",
                rounded(recoverer.perCoreSecond),
                rounded(recoverer.perSecond),
                rounded(ratio, 3)
              ]
            ],
            summary: {
              recovery: rounded(ratio, 3),
              blobsPerCoreSecond: rounded(recoverer.perCoreSecond),
              rawBlobsPerCoreSecond: rounded(alone.perCoreSecond),
              threads,
              rssMiBPerThread: rounded(perThread, 1),
              blobFromFirstHalfMs: rounded(plain.cpuMs / blobs, 1)
            }
          }
        ]
      }).pipe(Effect.provide(Layer.provide(WorkerRecoverer.layer(), kzg)))
    }).pipe(Effect.scoped)
}

/** Two load the trusted setup, as many as recover at once. */
const threads = 2

interface Taken {
  readonly cpuMs: number
  readonly wallMs: number
}

const measured = <A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<Taken, E, R> =>
  Effect.gen(function* () {
    const [cpu, at] = [process.cpuUsage(), performance.now()]
    yield* work
    const { system, user } = process.cpuUsage(cpu)
    return { cpuMs: (system + user) / 1e3, wallMs: performance.now() - at }
  })

const rateOf = (taken: ReadonlyArray<Taken>, blobs: number) => {
  const sum = (of: (one: Taken) => number) => taken.reduce((total, one) => total + of(one), 0)
  const all = taken.length * blobs * 1e3
  return { perCoreSecond: all / sum(({ cpuMs }) => cpuMs), perSecond: all / sum(({ wallMs }) => wallMs) }
}

const odd = Array.from({ length: 64 }, (_, place) => 2 * place + 1)

/** What the library alone makes of them. */
const raw = (rows: ReadonlyArray<ReadonlyArray<Uint8Array>>): void => {
  for (const cells of rows) ckzg.recoverCellsAndKzgProofs([...odd], [...cells])
}

const residentMiB = (): number => {
  globalThis.gc?.()
  return process.memoryUsage.rss() / 2 ** 20
}

/** A block, its odd columns, its first 64, and the same cells row by row as the library takes them. */
const halfOfBlock = Effect.fnUntraced(function* (blobs: number) {
  const pool = yield* makeBlobPool(7, blobs)
  const made = makeBlock(devnetParameters(1, 2000, 0), pool, {
    seed: 1,
    slot: 200,
    parentRoot: new Uint8Array(32),
    parentHash: new Uint8Array(32),
    variant: 0,
    blobs: Array.from({ length: blobs }, (_, row) => row)
  })
  const { commitments, root, slot } = made
  const block: Block = {
    slot,
    root,
    parentRoot: root,
    fork: "fulu",
    commitments,
    signature: Option.none(),
    payload: "full"
  }
  const sidecar = (column: number) => encodeSidecar("fulu", sidecarOf(pool, made, column))
  return {
    block,
    columns: new Map(odd.map((column) => [column, sidecar(column)] as const)),
    first: new Map(odd.map((_, column) => [column, sidecar(column)] as const)),
    cells: pool.map((blob) => odd.flatMap((column) => blob.cells[column] ?? []))
  }
})
