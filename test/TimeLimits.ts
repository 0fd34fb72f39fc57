import { readFileSync } from "node:fs"
import { availableParallelism, loadavg } from "node:os"
import { Duration } from "effect"

/**
 * A limit that a quiet machine of two cores keeps to easily, stretched to what the machine has to do at this moment: by
 * how many programs want each core, or by `DASMON_TEST_TIME_FACTOR` on a machine that is known to be slow.
 */
export const scaled = (limit: Duration.DurationInput): Duration.Duration => Duration.millis(scaledMs(limit))

/** The same in whole milliseconds. */
export const scaledMs = (limit: Duration.DurationInput): number => Math.round(Duration.toMillis(limit) * factor())

const factor = (): number => {
  const least = Number(process.env["DASMON_TEST_TIME_FACTOR"] ?? "1")
  return Math.max(least, Math.min(maxFactor, Math.max(1, 1.5 * demand())))
}

/** Beyond this something hangs. */
const maxFactor = 10

/** Programs that want to run for each core: over the last minute, or at this moment where Linux tells and that is more. */
const demand = (): number => Math.max(loadavg()[0] ?? 0, runnable()) / availableParallelism()

const runnable = (): number => {
  try {
    return Number(/(\d+)\//.exec(readFileSync("/proc/loadavg", "utf8"))?.[1] ?? "0")
  } catch {
    return 0
  }
}
