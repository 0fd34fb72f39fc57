import { PerformanceObserver } from "node:perf_hooks"
import { setTimeout } from "node:timers/promises"

/** Has everything collected that nothing holds, in the ways in which collections come about. */
export const collectAll = async (): Promise<void> => {
  // First while compiled code allocates, and with less than is collected for at once by `gc`.
  for (let round = 0; round < 30; round++) await fillYoungSpace()
  // Then while nothing runs.
  for (let round = 0; round < 3; round++) {
    await setTimeout(10)
    globalThis.gc?.()
  }
}

const fillYoungSpace = async (): Promise<number> => {
  const kept: Array<object> = []
  for (let n = 0; n < 2000; n++) {
    kept.push({ n })
    await Promise.resolve()
  }
  return kept.length
}

/** Counts the collections of this thread. */
export const countCollections = (): { readonly count: number } => {
  const counter = { count: 0 }
  new PerformanceObserver((list) => {
    counter.count += list.getEntries().length
  }).observe({ entryTypes: ["gc"] })
  return counter
}
