import { Schema } from "effect"

/** What a process that is run with `TellVitals` (`--import`, `--expose-gc`) writes of itself whenever it gets SIGUSR2. */
export const OwnVitals = Schema.parseJson(
  Schema.Struct({
    /** Of memory that is in use once all garbage is thrown away. */
    liveMiB: Schema.Number,
    /** Delay of the event loop since the last time, in milliseconds. */
    delayP50Ms: Schema.Number,
    delayP99Ms: Schema.Number,
    delayMaxMs: Schema.Number,
    /** Since it was started, all its threads together. */
    cpuSeconds: Schema.Number
  })
)

/** The variable that names the file. */
export const vitalsFile = "BENCH_VITALS"
