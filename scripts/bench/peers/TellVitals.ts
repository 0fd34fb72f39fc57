import { writeFileSync } from "node:fs"
import { isMainThread } from "node:worker_threads"
import { Schema } from "effect"
import { liveBytes } from "../LiveBytes.ts"
import { lateMs, loopDelay } from "../LoopDelay.ts"
import { OwnVitals, vitalsFile } from "./OwnVitals.ts"

const path = process.env[vitalsFile]

if (isMainThread && path !== undefined) {
  const delay = loopDelay()
  delay.enable()
  process.on("SIGUSR2", () => {
    const { system, user } = process.cpuUsage()
    const delays = {
      delayP50Ms: lateMs(delay.percentile(50)),
      delayP99Ms: lateMs(delay.percentile(99)),
      delayMaxMs: lateMs(delay.max)
    }
    const liveMiB = liveBytes() / 2 ** 20
    writeFileSync(path, Schema.encodeSync(OwnVitals)({ liveMiB, ...delays, cpuSeconds: (system + user) / 1e6 }))
    // What the garbage took is not the monitor's.
    setImmediate(() => delay.reset())
  })
}
