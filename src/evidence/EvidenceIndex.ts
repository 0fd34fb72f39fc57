import type { EvidenceBounds } from "./EvidenceStore.ts"

/** A piece that is kept. */
export interface Piece {
  readonly name: string
  readonly peer: string
  /** Rounded up to whole blocks of 4 KiB. */
  readonly bytes: number
}

/** What is kept, and what has to go before more is: bookkeeping only, the pieces themselves are elsewhere. */
export interface Shelf {
  /** The pieces that must go before `piece` is added, oldest first; `undefined` if it never fits. */
  readonly roomFor: (piece: Piece) => ReadonlyArray<Piece> | undefined
  /** Pieces are added in order of age. */
  readonly add: (piece: Piece) => void
  readonly remove: (name: string) => void
  readonly total: () => { readonly pieces: number; readonly bytes: number }
}

/** What a file takes on disk at least, and in steps of what. It bounds the number of pieces too. */
const blockBytes = 4096

/** The size of a piece as it counts. */
export const sizeOf = (bytes: number): number => Math.max(1, Math.ceil(bytes / blockBytes)) * blockBytes

export const makeShelf = ({ maxBytes, maxBytesPerPeer }: EvidenceBounds): Shelf => {
  /** Oldest first: a Map keeps the order in which its keys were set. */
  const all = new Map<string, Piece>()
  const byPeer = new Map<string, { readonly pieces: Map<string, Piece>; bytes: number }>()
  let total = 0

  const remove = (name: string): void => {
    const piece = all.get(name)
    if (piece === undefined) return
    all.delete(name)
    total -= piece.bytes
    const own = byPeer.get(piece.peer)
    if (own === undefined) return
    own.pieces.delete(name)
    own.bytes -= piece.bytes
    if (own.pieces.size === 0) byPeer.delete(piece.peer)
  }

  return {
    roomFor: ({ bytes, name, peer }) => {
      if (bytes > Math.min(maxBytes, maxBytesPerPeer)) return undefined
      const own = byPeer.get(peer)
      const out = new Map<string, Piece>()
      let freed = 0
      const free = (pieces: Iterable<Piece>, excess: () => number): void => {
        for (const piece of pieces) {
          if (excess() <= 0) return
          if (out.has(piece.name)) continue
          out.set(piece.name, piece)
          freed += piece.bytes
        }
      }
      const same = all.get(name)
      free(same === undefined ? [] : [same], () => Infinity)
      free(own?.pieces.values() ?? [], () => (own?.bytes ?? 0) - freed + bytes - maxBytesPerPeer)
      free(all.values(), () => total - freed + bytes - maxBytes)
      return [...out.values()]
    },
    add: (piece) => {
      remove(piece.name)
      all.set(piece.name, piece)
      total += piece.bytes
      const own = byPeer.get(piece.peer)
      if (own === undefined) {
        byPeer.set(piece.peer, { pieces: new Map([[piece.name, piece]]), bytes: piece.bytes })
      } else {
        own.pieces.set(piece.name, piece)
        own.bytes += piece.bytes
      }
    },
    remove,
    total: () => ({ pieces: all.size, bytes: total })
  }
}
