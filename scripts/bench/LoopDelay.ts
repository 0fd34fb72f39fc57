import { type IntervalHistogram, monitorEventLoopDelay } from "node:perf_hooks"

const resolutionMs = 10

/** How late the event loop is, once it is enabled; read it with `lateMs`. */
export const loopDelay = (): IntervalHistogram => monitorEventLoopDelay({ resolution: resolutionMs })

/** The histogram holds nanoseconds from one sample to the next: without the time in between that was asked for. */
export const lateMs = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - resolutionMs)
