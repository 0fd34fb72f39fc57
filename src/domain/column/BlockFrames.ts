import { setNewest } from "../Bounded.ts"
import { equalBytes, toHex } from "../Bytes.ts"

/** What all Fulu sidecars of a block have in common, once it was found to be right: other bytes cannot be. */
export interface BlockFrame {
  /** The header whose root is the block's, 112 bytes. */
  readonly header: Uint8Array
  /** The commitments, and the inclusion proof that leads from them to that header's body. */
  readonly commitments: Uint8Array
  readonly inclusionProof: Uint8Array
}

/** Whether the sidecar has this frame, so that only its cells and proofs are its own. */
export const hasFrame = (sidecar: BlockFrame, frame: BlockFrame): boolean =>
  equalBytes(sidecar.inclusionProof, frame.inclusionProof) &&
  equalBytes(sidecar.header, frame.header) &&
  equalBytes(sidecar.commitments, frame.commitments)

/**
 * Frames of the blocks that came last. Each spares the other sidecars of its block some forty hashes; a sidecar that
 * differs from it in a byte is checked as if there were none.
 */
export interface BlockFrames {
  readonly get: (blockRoot: Uint8Array) => BlockFrame | undefined
  readonly set: (blockRoot: Uint8Array, frame: BlockFrame) => void
}

/** Keeps `most` frames: a quarter of a kilobyte each, and 48 bytes a blob. */
export const makeBlockFrames = (most = 1024): BlockFrames => {
  const frames = new Map<string, BlockFrame>()
  // Sidecars of a block come one after the other.
  let lastRoot = new Uint8Array(0)
  let lastFrame: BlockFrame | undefined
  return {
    get: (blockRoot) => {
      if (!equalBytes(lastRoot, blockRoot)) {
        lastRoot = Uint8Array.from(blockRoot)
        lastFrame = frames.get(toHex(blockRoot))
      }
      return lastFrame
    },
    set: (blockRoot, { commitments, header, inclusionProof }) => {
      // Copies: a view would keep alive the whole sidecar.
      const frame = {
        header: Uint8Array.from(header),
        commitments: Uint8Array.from(commitments),
        inclusionProof: Uint8Array.from(inclusionProof)
      }
      setNewest(frames, toHex(blockRoot), frame, most)
      lastRoot = Uint8Array.from(blockRoot)
      lastFrame = frame
    }
  }
}
