import { writeFileSync } from "node:fs"
import { monitorEventLoopDelay } from "node:perf_hooks"
import { isMainThread } from "node:worker_threads"
import { Schema } from "effect"
import { OwnVitals, vitalsFile } from "./OwnVitals.ts"

const resolutionMs = 10
const path = process.env[vitalsFile]

if (isMainThread && path !== undefined) {
  const delay = monitorEventLoopDelay({ resolution: resolutionMs })
  delay.enable()
  const late = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - resolutionMs)
  process.on("SIGUSR2", () => {
    const { system, user } = process.cpuUsage()
    const delays = {
      delayP50Ms: late(delay.percentile(50)),
      delayP99Ms: late(delay.percentile(99)),
      delayMaxMs: late(delay.max)
    }
    globalThis.gc?.()
    const { external, heapUsed } = process.memoryUsage()
    const liveMiB = (heapUsed + external) / 2 ** 20
    writeFileSync(path, Schema.encodeSync(OwnVitals)({ liveMiB, ...delays, cpuSeconds: (system + user) / 1e6 }))
    // What the garbage took is not the monitor's.
    setImmediate(() => delay.reset())
  })
}
