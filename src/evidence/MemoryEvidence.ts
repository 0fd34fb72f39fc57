import { Effect, Layer } from "effect"
import { type AnyEvidence, encodeAnyEvidence } from "./GossipEvidence.ts"
import { defaultBounds, type EvidenceBounds, EvidenceStore } from "./EvidenceStore.ts"
import { makeEvidenceIndex, pieceOf } from "./EvidenceIndex.ts"

/** Keeps evidence until the process ends. `pieces` is what is kept by the name that a file would have. */
export const layer = (
  bounds: EvidenceBounds = defaultBounds,
  pieces: Map<string, AnyEvidence> = new Map()
): Layer.Layer<EvidenceStore> =>
  Layer.sync(EvidenceStore, () => {
    const index = makeEvidenceIndex(bounds)
    let lost = 0
    const keepOne = (evidence: AnyEvidence): void => {
      const piece = pieceOf(evidence, Buffer.byteLength(encodeAnyEvidence(evidence)))
      const gone = index.roomFor(piece)
      if (gone === undefined) {
        lost++
        return
      }
      for (const { name } of gone) {
        index.remove(name)
        pieces.delete(name)
      }
      index.add(piece)
      pieces.set(piece.name, evidence)
    }
    return EvidenceStore.of({
      keep: (pieces) => Effect.forEach(pieces, (piece) => Effect.sync(() => keepOne(piece)), { discard: true }),
      state: Effect.sync(() => ({ state: "keeping", reason: null, lost, ...index.total() }))
    })
  })
