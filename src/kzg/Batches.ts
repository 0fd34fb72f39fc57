import type { SidecarToVerify } from "./Verifier.ts"

/**
 * Bytes of sidecars in one KZG batch, at most (one sidecar may have more): about a thousand cells and 0.1 s of one core.
 * Larger batches verify no faster a cell, and cannot be stopped half-way.
 */
const maxBatchBytes = 2 * 2 ** 20
/** Sidecars in one batch, at most: each may turn out to be bad, and then takes two calls of its own. */
const maxBatchSidecars = 256

/** Cuts a call into batches, in order. */
export const batchesOf = (sidecars: ReadonlyArray<SidecarToVerify>): ReadonlyArray<ReadonlyArray<SidecarToVerify>> => {
  const out: Array<Array<SidecarToVerify>> = []
  let bytes = Infinity
  for (const sidecar of sidecars) {
    bytes += sidecar.ssz.length
    const current = out.at(-1)
    if (current === undefined || bytes > maxBatchBytes || current.length === maxBatchSidecars) {
      out.push([sidecar])
      bytes = sidecar.ssz.length
    } else current.push(sidecar)
  }
  return out
}
