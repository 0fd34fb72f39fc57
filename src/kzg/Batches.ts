import { Effect } from "effect"
import type { SidecarToVerify, SidecarVerdict, VerifyOptions } from "./Verifier.ts"

/** How much of a call is verified at once. */
interface BatchLimits {
  /** Of sidecars; a single one may have more. */
  readonly bytes: number
  readonly sidecars: number
}

/**
 * About a thousand cells and 0.1 s of one core: larger batches verify no faster a cell, and cannot be stopped half-way. Each
 * sidecar may turn out to be bad, and then takes two calls of its own.
 */
const usual: BatchLimits = { bytes: 2 * 2 ** 20, sidecars: 256 }
/** For whoever is verified last: others that come meanwhile wait for no more than this, a few milliseconds. */
const small: BatchLimits = { bytes: 2 ** 18, sidecars: 8 }

/** Cuts a call into batches, in order. */
const batchesOf = (
  sidecars: ReadonlyArray<SidecarToVerify>,
  { isLast = false }: VerifyOptions = {}
): ReadonlyArray<ReadonlyArray<SidecarToVerify>> => {
  const limits = isLast ? small : usual
  const out: Array<Array<SidecarToVerify>> = []
  let bytes = Infinity
  for (const sidecar of sidecars) {
    bytes += sidecar.ssz.length
    const current = out.at(-1)
    if (current === undefined || bytes > limits.bytes || current.length === limits.sidecars) {
      out.push([sidecar])
      bytes = sidecar.ssz.length
    } else current.push(sidecar)
  }
  return out
}

/** Verifies one batch; after so many guilty sidecars the rest of it is skipped. */
type VerifyBatch<E> = (
  batch: ReadonlyArray<SidecarToVerify>,
  mostGuilty: number
) => Effect.Effect<ReadonlyArray<SidecarVerdict>, E>

/** All batches of a call, so many at once; those that begin when enough is guilty are skipped. */
export const verifyInBatches = <E>(
  sidecars: ReadonlyArray<SidecarToVerify>,
  options: VerifyOptions,
  atOnce: number,
  verify: VerifyBatch<E>
): Effect.Effect<ReadonlyArray<SidecarVerdict>, E> =>
  Effect.suspend(() => {
    let left = options.mostGuilty ?? Infinity
    return Effect.forEach(
      batchesOf(sidecars, options),
      (batch) =>
        Effect.suspend(() =>
          left <= 0
            ? Effect.succeed(batch.map(() => skipped))
            : Effect.tap(verify(batch, left), (verdicts) => {
                left -= verdicts.filter(isGuilty).length
              })
        ),
      { concurrency: options.isLast === true ? 1 : atOnce }
    ).pipe(Effect.map((verdicts) => verdicts.flat()))
  })

export const skipped: SidecarVerdict = { _tag: "Skipped" }

/** Fails against the header of its own block; another header, or no sidecar at all, may be an honest mistake. */
export const isGuilty = (verdict: SidecarVerdict): boolean =>
  verdict._tag === "Invalid" && verdict.check !== "header" && verdict.check !== "structure"
