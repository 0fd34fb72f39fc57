import { availableParallelism, cpus } from "node:os"
import { join } from "node:path"
import { Console, Effect, Either, Option } from "effect"
import { makeBlobPool } from "../../../src/devnet/chain/BlobPool.ts"
import { messageOf } from "../../../src/domain/Text.ts"
import { type Bench, rounded, type Table } from "../Bench.ts"
import type { Shape } from "./CellBatches.ts"
import { ethKzgFolder } from "./EthKzg.ts"
import type { KzgMeasured } from "./Measured.ts"
import { measureKzg } from "./MeasureKzg.ts"
import { writePool } from "./PoolFile.ts"

/** The two libraries that verify cells, each alone on a thread: a call about one block, and calls of more and more cells. */
export const kzg: Bench = {
  name: "kzg",
  description: "c-kzg against node-eth-kzg, and how many cells a call should have",
  run: ({ folder, quick }) =>
    Effect.gen(function* () {
      const pool = join(folder, "blobs")
      writePool(pool, yield* makeBlobPool(47, Math.max(...blobCounts)))
      const question = { pool, seconds: quick ? 0.3 : 2, shapes: quick ? quickShapes : shapes }
      const ckzg = yield* measureKzg(question)
      const ethKzg = yield* Effect.either(Effect.flatMap(ethKzgFolder, (ethKzg) => measureKzg({ ...question, ethKzg })))
      if (Either.isLeft(ethKzg)) yield* Console.log(`only c-kzg is measured: ${messageOf(ethKzg.left)}`)
      return tablesOf({ ckzg, ethKzg: Either.getRight(ethKzg) })
    })
}

const blobCounts = [6, 21, 72]
const columnCounts = [1, 8, 32, 128]
const ofOneBlock: ReadonlyArray<Shape> = blobCounts.flatMap((blobs) =>
  columnCounts.map((columns) => ({ blocks: 1, blobs, columns }))
)
/** Columns of as many blocks of six blobs as it takes. */
const sweep: ReadonlyArray<Shape> = [16, 32, 64, 128, 256, 512, 1_024, 2_048, 4_096].map((cells) => ({
  blocks: Math.ceil(cells / (6 * 128)),
  blobs: 6,
  columns: Math.min(128, Math.ceil(cells / 6)),
  cells
}))
const shapes = [...ofOneBlock, ...sweep]
const quickShapes = shapes.filter(({ blobs, cells = 6, columns }) => cells <= 1_024 && blobs * columns <= 1_024)

interface Both {
  readonly ckzg: KzgMeasured
  readonly ethKzg: Option.Option<KzgMeasured>
}

const tablesOf = ({ ckzg, ethKzg }: Both): ReadonlyArray<Table> => {
  const other = Option.getOrUndefined(ethKzg)
  const rows = ckzg.shapes.map((own, index) => ({ own, other: other?.shapes[index] }))
  const rate = (measured: KzgMeasured["shapes"][number] | undefined) =>
    measured === undefined ? "-" : Math.round(measured.cellsPerCpuSecond)
  const load = ({ loadCpuMs, loadMiB, loadMs, peakMiB }: KzgMeasured) => ({
    loadMs: Math.round(loadMs),
    loadCpuMs: Math.round(loadCpuMs),
    loadMiB: rounded(loadMiB, 1),
    peakMiB: Math.round(peakMiB)
  })
  const machine = `${availableParallelism()} cores (${cpus()[0]?.model ?? "unknown"}), Node ${process.version}`
  return [
    {
      title: `Cells per CPU-second, one block a call; ${machine}`,
      columns: ["blobs", "columns", "cells", "c-kzg", "c-kzg: ms a call", "node-eth-kzg", "node-eth-kzg: ms a call"],
      rows: rows
        .filter(({ own }) => own.shape.cells === undefined)
        .map(({ other, own }) => [
          own.shape.blobs,
          own.shape.columns,
          own.cells,
          rate(own),
          rounded(own.callMs, 1),
          rate(other),
          other === undefined ? "-" : rounded(other.callMs, 1)
        ])
    },
    {
      title: "Cells per CPU-second by the cells of a call, columns of blocks of six blobs",
      columns: ["cells", "c-kzg", "c-kzg: ms a call", "node-eth-kzg"],
      rows: rows
        .filter(({ own }) => own.shape.cells !== undefined)
        .map(({ other, own }) => [own.cells, rate(own), rounded(own.callMs, 1), rate(other)])
    },
    {
      title: "To load a library and its setup, and the most that its process took",
      columns: ["library", "load ms", "load CPU ms", "load MiB", "peak MiB"],
      rows: [
        ["c-kzg", ...Object.values(load(ckzg))],
        ...(other === undefined ? [] : [["node-eth-kzg", ...Object.values(load(other))]])
      ],
      summary: {
        best: bestOf(ckzg, other),
        cores: availableParallelism(),
        ckzg: { ...load(ckzg), ...ratesOf(ckzg) },
        ethKzg: other === undefined ? null : { ...load(other), ...ratesOf(other) }
      }
    }
  ]
}

const ratesOf = ({ shapes }: KzgMeasured) => {
  const rates = (isSweep: boolean, name: (shape: Shape) => string) =>
    Object.fromEntries(
      shapes.flatMap(({ cellsPerCpuSecond, shape }) =>
        (shape.cells !== undefined) === isSweep ? [[name(shape), Math.round(cellsPerCpuSecond)]] : []
      )
    )
  return {
    columnsByBlobs: rates(false, ({ blobs, columns }) => `${columns}x${blobs}`),
    cellsOfACall: rates(true, ({ cells }) => String(cells))
  }
}

/** Which verifies more cells per CPU-second, in the geometric mean over one block's calls. */
const bestOf = (ckzg: KzgMeasured, other: KzgMeasured | undefined): "c-kzg" | "node-eth-kzg" => {
  if (other === undefined) return "c-kzg"
  const gain = ckzg.shapes.reduce(
    (sum, { cellsPerCpuSecond }, index) =>
      sum + Math.log((other.shapes[index]?.cellsPerCpuSecond ?? cellsPerCpuSecond) / cellsPerCpuSecond),
    0
  )
  return gain > 0 ? "node-eth-kzg" : "c-kzg"
}
