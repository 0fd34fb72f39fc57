import { readFileSync } from "node:fs"

/** Milliseconds of CPU that a thread has taken, in user and kernel mode, by its folder in /proc; 0 where there is none (any more). */
export const threadMs = (folder: string): number => {
  try {
    // Its time on a core, in nanoseconds, is the first number there.
    return Number(readFileSync(`${folder}/schedstat`, "utf8").split(" ")[0]) / 1e6
  } catch {
    return 0
  }
}

/** The same of the calling thread (Linux; elsewhere of the whole process). */
export const ownThreadMs = (): number => {
  const ms = threadMs("/proc/thread-self")
  if (ms > 0) return ms
  const { system, user } = process.cpuUsage()
  return (user + system) / 1000
}
