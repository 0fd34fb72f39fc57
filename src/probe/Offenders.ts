import { Option } from "effect"
import { setNewest } from "../domain/Bounded.ts"
import type { PeerId } from "../domain/Primitives.ts"
import { isEvidence } from "./Settle.ts"
import type { Finished } from "./VerifyDelivered.ts"

/** Peers whose columns were guilty lately: what they send is verified after everybody else's. */
export interface Offenders {
  /** Times in Unix milliseconds. */
  readonly add: (peerId: PeerId, at: number) => void
  readonly isKnown: (peerId: PeerId, now: number) => boolean
}

export const makeOffenders = (): Offenders => {
  const seen = new Map<PeerId, number>()
  return {
    add: (peerId, at) => setNewest(seen, peerId, at, mostOffenders),
    isKnown: (peerId, now) => now - (seen.get(peerId) ?? -Infinity) < keptMs
  }
}

/** Whether what came fails against the header of its own block. */
export const isOffence = ({ error }: Finished): boolean => Option.exists(error, isEvidence)

const mostOffenders = 4096
/** One clean probe, or a few, buy nothing. */
const keptMs = 30 * 60_000
