import { Schema } from "effect"

/** One phase of `Monitoring`. */
export const Look = Schema.Struct({
  /** Columns and cells that were verified. */
  columns: Schema.Int,
  cells: Schema.Int,
  /** Combinations that were asked for and came to anything else, by what they came to. */
  otherwise: Schema.Record({ key: Schema.String, value: Schema.Int }),
  seconds: Schema.Number,
  /** Compressed bytes of answers. */
  receivedBytes: Schema.Number,
  cpu: Schema.Struct({
    mainMs: Schema.Number,
    verifierMs: Schema.Number,
    otherMs: Schema.Number,
    processMs: Schema.Number
  }),
  /** On the thread of the event loop. */
  allocated: Schema.Struct({ heapBytes: Schema.Number, externalBytes: Schema.Number }),
  /** How late the event loop was, in milliseconds. */
  delayP99Ms: Schema.Number,
  /** Resident, at its end. */
  rssMiB: Schema.Number
})
export type Look = typeof Look.Type

/** What `Monitoring` is told, its one argument. */
export const LooksQuestion = Schema.parseJson(
  Schema.Struct({
    beaconApi: Schema.String,
    /** ENRs. */
    peers: Schema.Array(Schema.String),
    /** From this one on blocks have as many blobs as they should. */
    firstSlot: Schema.Int,
    /** Windows of eight slots that are looked at before anything is measured, and then. */
    warmUp: Schema.Int,
    windows: Schema.Int
  })
)

/** What it prints. */
export const LooksMeasured = Schema.parseJson(
  Schema.Struct({
    /** Peers that keep all columns, and those that keep eight. */
    supernodes: Schema.Int,
    custodians: Schema.Int,
    /** Columns that no peer had sent before. */
    first: Look,
    /** The same columns, each from another peer. */
    second: Look,
    /** Resident at most since it was started. */
    peakMiB: Schema.Number
  })
)
