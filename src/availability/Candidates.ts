import { Clock, Effect, Option } from "effect"
import { dropOldest } from "../domain/Bounded.ts"
import type { Candidate } from "../domain/availability/ChooseWitnesses.ts"
import { clientFamily } from "../domain/peer/ClientFamily.ts"
import { movesClaim } from "../domain/peer/MovesClaim.ts"
import { scoreAt } from "../domain/peer/Score.ts"
import type { ClaimHistory } from "../domain/peer/ClaimHistory.ts"
import type { Slot } from "../domain/Primitives.ts"
import { Peers } from "../peers/Peers.ts"
import { placesOf } from "../peers/set/DialLimits.ts"

/**
 * The connected peers whose claim covers a slot, but for those that move it, as they are at this moment. Whether they claim a head at it does not matter
 * for who is asked: a Status is often older than the block.
 */
export const makeCandidates = Effect.map(Peers, (peers) => {
  const groups = new Map<string, string>()
  /** Nets of single operators; those that are near to us are one. */
  const groupOf = (address: string): string => {
    const group = groups.get(address) ?? placesOf([address])[0]?.prefix ?? "near"
    groups.set(address, group)
    dropOldest(groups, mostAddresses)
    return group
  }

  return (slot: Slot): Effect.Effect<ReadonlyArray<Candidate>> =>
    Effect.zipWith(peers.tracked, Clock.currentTimeMillis, (tracked, now) =>
      tracked.flatMap(({ agent, isConnected, peerId, remoteAddress }): ReadonlyArray<Candidate> => {
        const known = isConnected ? Option.getOrUndefined(peers.known(peerId)) : undefined
        if (known === undefined || Option.isNone(known.claims)) return []
        const { claims, findings, isProvider, score } = known
        if (movesClaim(findings)) return []
        const columns = columnsAt(claims.value, slot)
        if (columns.size === 0) return []
        return [
          {
            peerId,
            family: clientFamily(Option.getOrNull(agent)),
            group: Option.match(remoteAddress, { onNone: () => "near", onSome: groupOf }),
            columns,
            score: scoreAt(score, now) + (isProvider ? providerBonus : 0),
            hasReached: claims.value.current.headSlot >= slot
          }
        ]
      })
    )
})

/** What it claims of the slot, its head aside. */
const columnsAt = ({ current, joined }: ClaimHistory, slot: Slot): ReadonlySet<number> =>
  slot < (current.earliestAvailableSlot ?? 0)
    ? new Set()
    : new Set(current.columns.filter((column) => slot >= (joined.get(column) ?? 0)))

/** Peers that are relied on (`das_providers`) go before others that are as good, and no further: who is bad is still asked last. */
const providerBonus = 0.25
const mostAddresses = 4096
