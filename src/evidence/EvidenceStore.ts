import { Context, type Effect } from "effect"
import type { EvidenceState } from "../domain/Status.ts"
import type { AnyEvidence } from "./GossipEvidence.ts"

/** Sizes in bytes, each piece rounded up to whole blocks of 4 KiB. */
export interface EvidenceBounds {
  readonly maxBytes: number
  readonly maxBytesPerPeer: number
}

export const defaultBounds: EvidenceBounds = { maxBytes: 256 * 2 ** 20, maxBytesPerPeer: 16 * 2 ** 20 }

/**
 * Keeps evidence, within bounds: a peer's oldest makes room for its newest, and the oldest of all when there is too
 * much of all together. So a peer that floods pushes out its own first.
 */
export class EvidenceStore extends Context.Tag("dasmon/EvidenceStore")<
  EvidenceStore,
  {
    /**
     * Returns when the pieces are kept or lost; one that asks waits only for itself and for others that offend. It
     * goes on when the caller is interrupted.
     */
    readonly keep: (pieces: ReadonlyArray<AnyEvidence>) => Effect.Effect<void>
    readonly state: Effect.Effect<EvidenceState>
  }
>() {}
