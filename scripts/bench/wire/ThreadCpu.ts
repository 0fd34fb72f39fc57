import { readFileSync } from "node:fs"

/** Milliseconds of CPU that this thread has taken, in user and kernel mode (Linux; elsewhere of the whole process). */
export const threadCpuMs = (): number => {
  try {
    return Number(readFileSync("/proc/thread-self/schedstat", "utf8").split(" ")[0]) / 1e6
  } catch {
    const { system, user } = process.cpuUsage()
    return (user + system) / 1000
  }
}
