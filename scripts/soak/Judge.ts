import type { Event } from "../../src/domain/Event.ts"
import type { PeerId, Slot } from "../../src/domain/Primitives.ts"
import { blameOf, type InvalidCheck, type OutcomeKind } from "../../src/domain/probe/Outcome.ts"
import { isHonest, type ProfileName } from "../../src/devnet/profiles/Profiles.ts"

/** One combination that was blamed on a peer. */
export interface Accusation {
  readonly peerId: PeerId
  readonly slot: Slot
  readonly column: number
  readonly outcome: OutcomeKind
  readonly check: InvalidCheck | undefined
  readonly reason: string
  /** Unix milliseconds at which the conversation began that proved it. */
  readonly askedAt: number
  /** Unix milliseconds at which the first conversation ended that left it suspected; `undefined` if none did. */
  readonly suspectedAt: number | undefined
}

/** Every accusation that the events of one run tell of, in their order. */
export const accusationsIn = (events: Iterable<Event>): ReadonlyArray<Accusation> => {
  const { all, see } = makeAccusations()
  for (const event of events) see(event)
  return all()
}

/** Takes in one event after the other, and gives the accusations that they told of. */
export const makeAccusations = () => {
  const suspected = new Map<string, number>()
  const accusations: Array<Accusation> = []
  const see = (event: Event): void => {
    if (event._tag !== "Sampling") return
    const { finishedAt, job, outcomes, startedAt } = event.probe
    for (const { check, column, outcome, reason = "", slot } of outcomes) {
      const key = `${job.peerId} ${slot} ${column}`
      const suspectedAt = suspected.get(key)
      if (outcome === "suspected") suspected.set(key, suspectedAt ?? finishedAt)
      else if (outcome === "success") suspected.delete(key)
      else if (blameOf[outcome] === "peer") {
        accusations.push({
          peerId: job.peerId,
          slot,
          column,
          outcome,
          check,
          reason,
          askedAt: startedAt,
          suspectedAt
        })
      }
    }
  }
  return { see, all: (): ReadonlyArray<Accusation> => accusations }
}

/** Whether it needs no second conversation: what came is held against the header of a final block, and fails. */
export const isEvidence = ({ check }: Accusation): boolean =>
  check === "commitments" || check === "inclusion_proof" || check === "kzg_proof"

/** What must become of a peer: never accused, or found out. */
export type Fate = "blameless" | "found"

/**
 * Peers that are odd, turn everybody away or do not answer are blameless too: what they store, nobody knows. So is one
 * that serves who asks it first, as long as nobody else asks (`identities: 2`).
 */
export const fateOf = (profile: ProfileName): Fate => {
  if (isHonest(profile)) return "blameless"
  switch (profile) {
    case "silent":
    case "stall":
    case "reset":
    case "throttle":
    case "wrong-network":
    case "duplicate":
    case "unordered":
    case "unrequested":
    case "serves-one":
    case "bad-gossip":
    case "drip":
    case "restless":
      return "blameless"
    default:
      return "found"
  }
}

/** Whether a peer of this profile may be called evasive: slots whose files are broken are really never served. */
export const mayBeEvasive = (profile: ProfileName): boolean => profile === "broken-file" || fateOf(profile) === "found"
