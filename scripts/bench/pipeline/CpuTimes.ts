import { readdirSync, readlinkSync, writeFileSync } from "node:fs"
import { basename, join } from "node:path"
import { threadMs } from "../ThreadCpu.ts"

/** The variable that names the folder in which worker threads leave their numbers (`MarkThread`). */
export const threadsFolder = "BENCH_THREADS"

/** Has the calling thread leave its number, as Linux counts threads. */
export const markThread = (folder: string): void => {
  writeFileSync(join(folder, basename(readlinkSync("/proc/thread-self"))), "")
}

/** CPU time of this process since it was started, in milliseconds. */
export interface CpuTimes {
  /** The thread of the event loop. */
  readonly mainMs: number
  /** Worker threads: of the monitor's layers only the verifier has any. */
  readonly verifierMs: number
  /** V8's helpers, which collect garbage and compile, and the thread pool. */
  readonly otherMs: number
  readonly processMs: number
}

/** `folder`: where the worker threads have left their numbers. Threads that have ended count as others. */
export const cpuTimes = (folder: string): CpuTimes => {
  const mainMs = threadMs(taskFolder(String(process.pid)))
  const verifierMs = readdirSync(folder).reduce((sum, thread) => sum + threadMs(taskFolder(thread)), 0)
  const { system, user } = process.cpuUsage()
  const processMs = (system + user) / 1e3
  return { mainMs, verifierMs, otherMs: processMs - mainMs - verifierMs, processMs }
}

const taskFolder = (thread: string): string => `/proc/self/task/${thread}`
