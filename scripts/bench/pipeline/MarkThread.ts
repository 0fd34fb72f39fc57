import { isMainThread } from "node:worker_threads"
import { markThread, threadsFolder } from "./CpuTimes.ts"

/** To be loaded (`--import`) before anything else, in every thread. */
const folder = process.env[threadsFolder]
if (!isMainThread && folder !== undefined) markThread(folder)
