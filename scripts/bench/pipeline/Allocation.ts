import { GCProfiler, getHeapStatistics } from "node:v8"

/** Bytes that the calling thread has allocated since `allocation` was called: at least so many. */
export interface Allocated {
  /** Objects; but for what a collection finds to be garbage and frees only after its end. */
  readonly heapBytes: number
  /** Buffers outside of the heap, likewise; and but for those that were freed between two collections. */
  readonly externalBytes: number
}

/** Starts counting; the function that it gives ends it. What is there at a collection and was not after the one before is new. */
export const allocation = (): (() => Allocated) => {
  const profiler = new GCProfiler()
  const start = getHeapStatistics()
  profiler.start()
  return () => {
    const end = getHeapStatistics()
    const { statistics } = profiler.stop()
    let heapBytes = 0
    let externalBytes = 0
    let left: Fill = { heap: start.used_heap_size, external: start.external_memory }
    for (const { afterGC, beforeGC } of statistics) {
      const found = fillOf(beforeGC)
      heapBytes += Math.max(0, found.heap - left.heap)
      externalBytes += Math.max(0, found.external - left.external)
      left = fillOf(afterGC)
    }
    heapBytes += Math.max(0, end.used_heap_size - left.heap)
    externalBytes += Math.max(0, end.external_memory - left.external)
    return { heapBytes, externalBytes }
  }
}

interface Fill {
  readonly heap: number
  readonly external: number
}

const fillOf = ({ heapStatistics }: { readonly heapStatistics: HeapStatistics }): Fill => ({
  heap: heapStatistics.usedHeapSize,
  external: heapStatistics.externalMemory
})

interface HeapStatistics {
  readonly usedHeapSize: number
  readonly externalMemory: number
}
