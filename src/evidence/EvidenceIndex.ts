import type { AnyEvidence } from "./GossipEvidence.ts"
import type { EvidenceBounds } from "./EvidenceStore.ts"

/** A piece of evidence, as far as it matters for what is kept. */
export interface Piece {
  /** The file's name: when it was judged, so that names sort by time, then slot, column and peer. */
  readonly name: string
  readonly peer: string
  /** Rounded up to whole blocks of 4 KiB. */
  readonly bytes: number
}

/**
 * The piece that evidence makes whose text has `bytes` bytes. One peer's verdict on one combination at one moment has one
 * name.
 */
export const pieceOf = ({ accusation, block, peer: { peerId } }: AnyEvidence, bytes: number): Piece => {
  const time = new Date(accusation.judgedAt).toISOString().replaceAll(/[-:]/g, "")
  const peer = peerId.replaceAll(/[^A-Za-z0-9]/g, "").slice(0, maxPeerLength)
  const name = `${time}_slot${block.slot}_column${accusation.column}_${peer}.json`
  return { name, peer, bytes: bytesOnDisk(bytes) }
}

/** The peer in the name of a piece; `undefined` for any other name. */
export const peerOfName = (name: string): string | undefined => nameForm.exec(name)?.[1]

/** What a file of so many bytes takes on disk: whole blocks, and one at least. It bounds the number of pieces too. */
export const bytesOnDisk = (bytes: number): number => Math.max(1, Math.ceil(bytes / blockBytes)) * blockBytes

/** What is kept, and what has to go before more is: bookkeeping only, the pieces themselves are elsewhere. */
export interface EvidenceIndex {
  /** The pieces that must go before `piece` is added, oldest first; `undefined` if it never fits. */
  readonly roomFor: (piece: Piece) => ReadonlyArray<Piece> | undefined
  /** Pieces are added in order of age. */
  readonly add: (piece: Piece) => void
  readonly remove: (name: string) => void
  readonly total: () => { readonly pieces: number; readonly bytes: number }
}

export const makeEvidenceIndex = ({ maxBytes, maxBytesPerPeer }: EvidenceBounds): EvidenceIndex => {
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

const blockBytes = 4096
const maxPeerLength = 128
const nameForm = /^\d{8}T\d{6}\.\d{3}Z_slot\d+_column\d+_([A-Za-z0-9]*)\.json$/
