import { createRequire } from "node:module"
import { join } from "node:path"
import { Schema } from "effect"
import type { CellBatch } from "../../../src/kzg/Kzg.ts"
import { cellBatch, type Shape } from "./CellBatches.ts"
import { KzgMeasured, KzgQuestion } from "./Measured.ts"
import { readPool } from "./PoolFile.ts"

/*
 * Measures one library on the thread of this process, which has nothing else to do. The argument is a `KzgQuestion`; prints
 * a `KzgMeasured`, as one line.
 */

type Verify = (batch: CellBatch) => unknown

/** What is used of node-eth-kzg, which is no dependency of ours. */
const EthKzg = Schema.Struct({
  DasContextJs: Schema.declare(
    (value): value is { readonly create: (options: { readonly usePrecomp: boolean }) => unknown } =>
      typeof value === "function" && "create" in value
  )
})
const EthKzgContext = Schema.declare(
  (
    value
  ): value is {
    readonly verifyCellKzgProofBatch: (
      commitments: ReadonlyArray<Uint8Array>,
      indices: ReadonlyArray<bigint>,
      cells: ReadonlyArray<Uint8Array>,
      proofs: ReadonlyArray<Uint8Array>
    ) => boolean
  } => typeof value === "object" && value !== null && "verifyCellKzgProofBatch" in value
)

const loadEthKzg = (folder: string): Verify => {
  const load: (name: string) => unknown = createRequire(join(folder, "index.js"))
  const { DasContextJs } = Schema.decodeUnknownSync(EthKzg)(load("@crate-crypto/node-eth-kzg"))
  // No precomputation, as with c-kzg: it speeds up proving only.
  const context = Schema.decodeUnknownSync(EthKzgContext)(DasContextJs.create({ usePrecomp: false }))
  return ({ cells, commitments, indices, proofs }) =>
    context.verifyCellKzgProofBatch(commitments, indices.map(BigInt), cells, proofs)
}

const loadCKzg = async (): Promise<Verify> => {
  const { default: library } = await import("c-kzg")
  library.loadTrustedSetup(0)
  return ({ cells, commitments, indices, proofs }) =>
    library.verifyCellKzgProofBatch(commitments, indices, cells, proofs)
}

const cpuMs = (): number => {
  const { system, user } = process.cpuUsage()
  return (system + user) / 1e3
}
const residentMiB = (): number => process.memoryUsage.rss() / 2 ** 20

const measure = (verify: Verify, batch: CellBatch, shape: Shape, seconds: number) => {
  const call = (): void => {
    if (verify(batch) !== true) throw new Error(`${batch.cells.length} cells that are true do not verify`)
  }
  call()
  const [begin, at] = [cpuMs(), performance.now()]
  let calls = 0
  do {
    call()
    calls++
  } while (cpuMs() - begin < seconds * 1e3)
  const cells = batch.cells.length
  const cellsPerCpuSecond = (calls * cells * 1e3) / (cpuMs() - begin)
  return { shape, cells, cellsPerCpuSecond, callMs: (performance.now() - at) / calls }
}

const { ethKzg, pool, seconds, shapes } = Schema.decodeSync(KzgQuestion)(process.argv[2] ?? "")
const before = { at: performance.now(), cpu: cpuMs(), rss: residentMiB() }
const verify = ethKzg === undefined ? await loadCKzg() : loadEthKzg(ethKzg)
const load = {
  loadMs: performance.now() - before.at,
  loadCpuMs: cpuMs() - before.cpu,
  loadMiB: residentMiB() - before.rss
}
const blobs = readPool(pool)
const measured = shapes.map((shape) => measure(verify, cellBatch(blobs, shape), shape, seconds))
const peakMiB = process.resourceUsage().maxRSS / 1024
console.log(Schema.encodeSync(KzgMeasured)({ ...load, peakMiB, shapes: measured }))
