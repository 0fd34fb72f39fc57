/** Of memory that is in use once all garbage is thrown away; with `--expose-gc`. */
export const liveBytes = (): number => {
  globalThis.gc?.()
  const { external, heapUsed } = process.memoryUsage()
  return heapUsed + external
}
