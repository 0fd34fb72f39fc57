import { numberOfColumns } from "../domain/network/Chain.ts"
import { neutral } from "../domain/peer/Score.ts"
import type { PeerView } from "../domain/peer/PeerView.ts"

/** Whom to ask for blobs first: `das_providers`, then who claims all columns of the block, then by score; the higher the sooner. */
export const reliance = (columns: number, view: Pick<PeerView, "isProvider" | "score"> | undefined): number =>
  (view?.isProvider === true ? 4 : 0) + (columns === numberOfColumns ? 2 : 0) + (view?.score ?? neutral)
