import { Option } from "effect"
import type { Claim } from "../domain/peer/Claim.ts"
import { isEvasive } from "../domain/peer/Evasion.ts"
import type { PeerRefused } from "../domain/probe/Outcome.ts"
import { isDialable, type PeerState } from "./PeerState.ts"

/** How a tracked peer is with us at this moment, for whoever decides who stays. Moments are Unix milliseconds. */
export interface Presence {
  readonly isConnected: boolean
  /** Connected without a break; none while it is not. */
  readonly connectedSince: Option.Option<number>
  readonly isDialable: boolean
  /** Visits in a row that came to nothing, but for those at which it was our own doing. */
  readonly failedVisits: number
  /** Visits in a row for which nobody was dialled, by our own doing. */
  readonly notDialled: number
  /** Until then it wants to be left alone. */
  readonly leftAloneUntil: number
  /** How it refused us since it was last connected, if it did. */
  readonly refusal: Option.Option<PeerRefused["reason"]>
  /** Nothing is suspected of it, or it is known to be evasive. */
  readonly isSettled: boolean
  /** It escapes questions, and is not called evasive yet. */
  readonly isCounted: boolean
  readonly agent: Option.Option<string>
  /** The multiaddr at which it is connected, or was last. */
  readonly remoteAddress: Option.Option<string>
  readonly claim: Option.Option<Claim>
  /** The end of its last probe, ever. */
  readonly lastProbeAt: Option.Option<number>
  /** How far it can be relied on, 0 to 1, as of `scoredAt`. */
  readonly score: number
  readonly scoredAt: number
}

/** The part of it that follows from the peer's state. */
export const presenceOf = (state: PeerState) => {
  const isOpen = state.suspicions.size > 0 && !isEvasive(state.evasion)
  return {
    isConnected: state.connected,
    isDialable: isDialable(state),
    isSettled: !isOpen,
    isCounted: isOpen && state.evasion.escaped > 0,
    agent: state.agent,
    remoteAddress: state.remoteAddress,
    claim: Option.map(state.claims, ({ current }) => current),
    lastProbeAt: state.lastProbeAt,
    score: state.score.value,
    scoredAt: state.score.at
  } satisfies Partial<Presence>
}
