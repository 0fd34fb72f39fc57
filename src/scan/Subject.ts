import { Effect, Option } from "effect"
import type { SlotClock } from "../domain/network/Chain.ts"
import { hearClaim } from "../domain/peer/ClaimHistory.ts"
import { makeClaim } from "../domain/peer/ClaimParts.ts"
import type { PeerAddress } from "../domain/peer/PeerAddress.ts"
import type { PeerJournal } from "../peers/PeerJournal.ts"
import { newPeer } from "../peers/PeerState.ts"
import { makeQuietJournal } from "./QuietJournal.ts"
import type { ScanStep } from "../domain/scan/ScanStep.ts"
import type { ScanLog, Statement } from "./report/ScanLog.ts"
import type { ScanOptions } from "./ScanOptions.ts"

/** Hears of every step. */
export type TellStep = (step: ScanStep) => Effect.Effect<void>

/** One target while it is scanned: what is told of it, and what is known of it as the monitor would know it. */
export interface Subject {
  readonly log: ScanLog
  readonly journal: PeerJournal
  readonly options: ScanOptions
  readonly tell: TellStep
  /** Unix milliseconds at which its time is over. */
  readonly deadline: number
  /** How it is dialled; known better once it was found. */
  address: PeerAddress
}

export const makeSubject = (log: ScanLog, options: ScanOptions, tell: TellStep, deadline: number): Subject => {
  const { address } = log.target
  return { log, journal: makeQuietJournal(newPeer(address)), options, tell, deadline, address }
}

/** Takes what the peer says of itself, as far as it decides what it owes. */
export const takeStatement = (
  chain: SlotClock,
  { journal }: Subject,
  statement: Statement,
  nodeId: Uint8Array
): Effect.Effect<void> => {
  const claim = makeClaim({ ...statement, nodeId })
  return Effect.asVoid(
    journal.enter({ change: (state) => ({ ...state, claims: Option.some(hearClaim(chain, state.claims, claim)) }) })
  )
}
