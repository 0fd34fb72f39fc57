import { Effect, Either, Layer, Metric } from "effect"
import { makeBlockFrames } from "../domain/column/BlockFrames.ts"
import { peekPlace } from "../domain/column/Sidecar.ts"
import { viewSidecar } from "../domain/column/SidecarView.ts"
import { toHex } from "../domain/Bytes.ts"
import { columnsProven } from "../domain/metrics/Metrics.ts"
import type { Root } from "../domain/Primitives.ts"
import { prepareColumn } from "../kzg/Column.ts"
import { type SidecarToVerify, type SidecarVerdict, skipped, valid, Verifier, VerifierError } from "../kzg/Verifier.ts"
import { makeYielder } from "../runtime/YieldNow.ts"
import { ProvenLedger } from "./ProvenLedger.ts"

/**
 * Puts a ledger before a verifier. A sidecar whose header, commitments and inclusion proof are its block's, and whose
 * cells and proofs are byte for byte those that were proven before, is valid without KZG; every other goes to the
 * verifier as if there were no ledger, and what that finds valid is remembered.
 */
export const layer: Layer.Layer<Verifier, never, Verifier | ProvenLedger> = Layer.effect(
  Verifier,
  Effect.gen(function* () {
    const verifier = yield* Verifier
    const ledger = yield* ProvenLedger
    const frames = makeBlockFrames()
    const yieldNow = makeYielder(3)

    /** By the ledger: a valid column of it, or none. */
    const look = (item: SidecarToVerify, root: Root): boolean => {
      const place = peekPlace(item.fork, item.ssz)
      if (Either.isLeft(place) || !ledger.has(root, place.right.index)) return false
      const column = prepareColumn(item, frames)
      return Either.isRight(column) && ledger.isProven(root, column.right)
    }
    const prove = (item: SidecarToVerify, root: Root): void => {
      const sidecar = viewSidecar(item.fork, item.ssz)
      if (Either.isRight(sidecar)) ledger.prove(root, item.slot, sidecar.right)
    }

    return Verifier.of({
      verify: (sidecars, options) =>
        Effect.gen(function* () {
          const rootOf = makeRootOf()
          yield* ledger.ready([...new Set(sidecars.map(rootOf))])
          const proven: Array<boolean> = []
          for (const [at, item] of sidecars.entries()) {
            proven.push(look(item, rootOf(item)))
            if (at % stride === stride - 1) yield* yieldNow
          }
          const others = sidecars.filter((_, at) => proven[at] !== true)
          yield* Metric.incrementBy(columnsProven.of({ by: "ledger" }), sidecars.length - others.length)
          if (others.length === 0) return sidecars.map(() => valid)
          const verdicts = yield* verifier.verify(others, options)
          // Verdicts are told apart by their places alone.
          if (verdicts.length !== others.length) {
            const reason = `the verifier gave ${verdicts.length} verdicts on ${others.length} sidecars`
            return yield* new VerifierError({ reason })
          }
          let sound = 0
          for (const [at, item] of others.entries()) {
            if (verdicts[at]?._tag !== "Valid") continue
            prove(item, rootOf(item))
            if (sound++ % stride === stride - 1) yield* yieldNow
          }
          yield* Metric.incrementBy(columnsProven.of({ by: "kzg" }), sound)
          let next = 0
          return proven.map((isProven): SidecarVerdict => (isProven ? valid : (verdicts[next++] ?? skipped)))
        })
    })
  })
)

/** The roots of blocks as keys: sidecars of a block share the bytes of its root. */
const makeRootOf = () => {
  const roots = new Map<Uint8Array, Root>()
  return ({ blockRoot }: SidecarToVerify): Root => {
    const known = roots.get(blockRoot)
    if (known !== undefined) return known
    const root = toHex(blockRoot)
    roots.set(blockRoot, root)
    return root
  }
}

/** Columns between two looks at how long this has taken: a tenth of a millisecond or so. */
const stride = 8
