import type { JobOptions } from "./NextJob.ts"

/** What the peer may be asked for at this moment, at most; both at least 1. */
export interface JobLimits {
  /** Slots times columns. */
  readonly maxCombinations: number
  readonly maxSlots: number
}

export const limitedTo = (options: JobOptions, { maxCombinations, maxSlots }: JobLimits): JobOptions => ({
  ...options,
  maxCombinations: Math.max(1, Math.min(options.maxCombinations, maxCombinations)),
  maxSlots: Math.max(1, Math.min(options.maxSlots, maxSlots))
})
