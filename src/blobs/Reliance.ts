import { numberOfColumns } from "../domain/network/Chain.ts"
import { neutral } from "../domain/peer/Score.ts"
import type { PeerView } from "../domain/peer/PeerView.ts"
import type { TrackedPeer } from "../peers/Peers.ts"

/** Whom to ask for blobs first: those of the configuration, then supernodes, then by score; the higher the sooner. */
export const reliance = (peer: TrackedPeer, columns: number, view: PeerView | undefined): number =>
  (peer.isConfigured ? 4 : 0) + (columns === numberOfColumns ? 2 : 0) + (view?.score ?? neutral)
