import { GCProfiler, type HeapStatistics, setFlagsFromString } from "node:v8"

/** Counts the bytes that are allocated from now on, on the heap of this thread and beside it; the answer ends it. */
export const countAllocated = (): (() => number) => {
  // What is freed must be freed when the collector says so, and not some time later.
  setFlagsFromString("--no-concurrent-array-buffer-sweeping")
  const profiler = new GCProfiler()
  profiler.start()
  const before = inUse()
  return () => {
    const after = inUse()
    return profiler
      .stop()
      .statistics.reduce((sum, { afterGC, beforeGC }) => sum + bytesOf(beforeGC) - bytesOf(afterGC), after - before)
  }
}

const inUse = (): number => {
  const { external, heapUsed } = process.memoryUsage()
  return heapUsed + external
}

const bytesOf = ({ heapStatistics }: { readonly heapStatistics: HeapStatistics }): number =>
  heapStatistics.usedHeapSize + heapStatistics.externalMemory
