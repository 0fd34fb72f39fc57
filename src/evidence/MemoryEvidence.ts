import { Effect, Layer } from "effect"
import { encodeEvidence, type Evidence } from "./Evidence.ts"
import { nameOf, peerOfName } from "./EvidenceName.ts"
import { defaultBounds, type EvidenceBounds, EvidenceStore } from "./EvidenceStore.ts"
import { makeShelf, type Piece, sizeOf } from "./EvidenceIndex.ts"

/** Keeps evidence until the process ends. `pieces` is what is kept by the name that a file would have. */
export const layer = (
  bounds: EvidenceBounds = defaultBounds,
  pieces: Map<string, Evidence> = new Map()
): Layer.Layer<EvidenceStore> =>
  Layer.sync(EvidenceStore, () => {
    const shelf = makeShelf(bounds)
    let lost = 0
    const keepOne = (evidence: Evidence): void => {
      const piece = pieceOf(evidence)
      const gone = shelf.roomFor(piece)
      if (gone === undefined) {
        lost++
        return
      }
      for (const { name } of gone) {
        shelf.remove(name)
        pieces.delete(name)
      }
      shelf.add(piece)
      pieces.set(piece.name, evidence)
    }
    return EvidenceStore.of({
      keep: (pieces) => Effect.forEach(pieces, (piece) => Effect.sync(() => keepOne(piece)), { discard: true }),
      state: Effect.sync(() => ({ state: "keeping", reason: null, lost, ...shelf.total() }))
    })
  })

const pieceOf = (evidence: Evidence): Piece => {
  const name = nameOf(evidence)
  return { name, peer: peerOfName(name) ?? "", bytes: sizeOf(Buffer.byteLength(encodeEvidence(evidence))) }
}
