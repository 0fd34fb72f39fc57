import { Schema } from "effect"
import { Shape } from "./CellBatches.ts"

/** What `KzgPart` is asked, its one argument. */
export const KzgQuestion = Schema.parseJson(
  Schema.Struct({
    /** The folder in which node-eth-kzg is installed; c-kzg if left out. */
    ethKzg: Schema.optional(Schema.String),
    /** A file of blobs (`PoolFile`). */
    pool: Schema.String,
    /** CPU time for each shape, at least; of one call at the very least. */
    seconds: Schema.Number,
    shapes: Schema.Array(Shape)
  })
)

/** What it prints. CPU time is that of all threads of its process. */
export const KzgMeasured = Schema.parseJson(
  Schema.Struct({
    /** From nothing to the first call: the library and its trusted setup. */
    loadMs: Schema.Number,
    loadCpuMs: Schema.Number,
    /** What that added to the resident memory. */
    loadMiB: Schema.Number,
    /** Resident at most, from first to last, with Node and the cells. */
    peakMiB: Schema.Number,
    shapes: Schema.Array(
      Schema.Struct({
        shape: Shape,
        cells: Schema.Int,
        cellsPerCpuSecond: Schema.Number,
        /** Wall clock of one call. */
        callMs: Schema.Number
      })
    )
  })
)
export type KzgMeasured = typeof KzgMeasured.Type
