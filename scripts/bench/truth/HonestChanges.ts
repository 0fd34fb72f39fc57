import { slotAt } from "../../../src/domain/network/Chain.ts"
import { PeerDisconnected, PeerRefused } from "../../../src/domain/probe/Outcome.ts"
import { refusalOf, resultCodes } from "../../../src/wire/Refusal.ts"
import { between, chance } from "./Chance.ts"
import type { MakeConduct, Reply } from "./Conduct.ts"

const seconds = 1000
const minutes = 60 * seconds

const unavailable = (reply: Reply, message: string): Reply => ({
  sent: [],
  waitMs: reply.waitMs,
  error: refusalOf(resultCodes.resourceUnavailable, message)
})

/**
 * Custody that grows. The earliest slot stays as it was for some minutes, and rises then; one that begins to store a
 * little after it claims; one whose claim is one slot early.
 */
const grow: MakeConduct = ({ chain: { parameters }, columnsOf, seed, startedAt }) => {
  const claimedAt = startedAt + between(-2, 90, chance(seed, 71)) * minutes
  const storedFrom = slotAt(parameters, claimedAt) + between(-3, 20, chance(seed, 72))
  const toldAt = claimedAt + 5 * minutes * chance(seed, 73)
  const isOneEarly = chance(seed, 74) < 0.5
  const old = new Set(columnsOf(4))
  return {
    name: "grow",
    groups: 16,
    said: (said, at) => {
      if (at < claimedAt) return { ...said, metadataCount: 4 }
      const grown = { ...said, sequenceNumber: 2 }
      return at < toldAt ? grown : { ...grown, earliestAvailableSlot: storedFrom - (isOneEarly ? 1 : 0) }
    },
    stores: ({ block, column }) => old.has(column) || block.slot >= storedFrom
  }
}

/** Refuses, after its custody grew, all of what is older than that, by range, the columns that it had before too (Lighthouse). */
const growRefusing: MakeConduct = ({ chain: { parameters }, columnsOf, seed, startedAt }) => {
  const grownAt = startedAt + between(5, 90, chance(seed, 75)) * minutes
  // The earliest slot is above the head for a while.
  const earliest = slotAt(parameters, grownAt) + between(0, 34, chance(seed, 76))
  const old = new Set(columnsOf(4))
  return {
    name: "grow-refusing",
    groups: 12,
    said: (said, at) =>
      at < grownAt ? { ...said, metadataCount: 4 } : { ...said, sequenceNumber: 2, earliestAvailableSlot: earliest },
    stores: ({ block, column }) => old.has(column) || block.slot >= earliest,
    answers: (reply, { at, startSlot, via }) =>
      at >= grownAt && via === "range" && startSlot < earliest
        ? unavailable(reply, "columns pruned within boundary")
        : reply
  }
}

/**
 * Fills back: the earliest slot falls in steps. A range that begins before it is refused, and for some minutes every
 * one, what was claimed included.
 */
const backfilling: MakeConduct = ({ chain: { parameters }, firstSlot, seed, startedAt }) => {
  const anchor = slotAt(parameters, startedAt) - between(40, 200, chance(seed, 77))
  const stepMs = between(2, 6, chance(seed, 78)) * minutes
  const refusesFrom = startedAt + between(0, 60, chance(seed, 79)) * minutes
  const refusesUntil = refusesFrom + 8 * minutes * chance(seed, 80)
  const isRangeOnly = chance(seed, 81) < 0.5
  const earliestAt = (at: number): number =>
    Math.max(firstSlot, anchor - 160 * Math.floor(Math.max(0, at - startedAt) / stepMs))
  return {
    name: "backfilling",
    said: (said, at) => ({ ...said, earliestAvailableSlot: earliestAt(at) }),
    stores: ({ block }, at) => block.slot >= earliestAt(at),
    answers: (reply, { at, startSlot, via }) => {
      const isRefusing = at >= refusesFrom && at < refusesUntil && (via === "range" || !isRangeOnly)
      return isRefusing || (via === "range" && startSlot < earliestAt(at)) ? unavailable(reply, "Backfilling") : reply
    }
  }
}

/**
 * Restarts every hour or so: away, then without its protocols for seconds, then with a head that has fallen back to what
 * is justified, and serving orphans. With more custody after the first restart, and an earliest slot that is for some
 * minutes up to 80 slots too early (Prysm).
 */
const restarting =
  (isGrowing: boolean): MakeConduct =>
  ({ chain, columnsOf, seed, startedAt }) => {
    const { parameters } = chain
    const periodMs = between(50, 80, chance(seed, 82)) * minutes
    const firstAt = startedAt + between(1, 40, chance(seed, 83)) * minutes
    const backAfter = between(10, 60, chance(seed, 84)) * seconds
    const readyAfter = backAfter + between(2, 30, chance(seed, 85)) * seconds
    const syncedAfter = readyAfter + between(1, 6, chance(seed, 86)) * minutes
    const since = (at: number): number => (at < firstAt ? Infinity : (at - firstAt) % periodMs)
    const earliest = slotAt(parameters, firstAt) - 60
    const early = between(1, 80, chance(seed, 87))
    const correctAt = firstAt + readyAfter + 8 * minutes * chance(seed, 88)
    const old = new Set(columnsOf(4))
    const unsupported = new PeerRefused({ reason: "unsupported_protocol", detail: "protocol selection failed" })
    return {
      name: isGrowing ? "restart-growing" : "restart",
      groups: isGrowing ? 24 : 4,
      isAway: (at) =>
        since(at) < backAfter ? new PeerDisconnected({ stage: "dial", detail: "connection refused" }) : undefined,
      said: (said, at) => {
        if (since(at) < readyAfter) return unsupported
        const head = since(at) < syncedAfter ? chain.finalizedAt(at).epoch * parameters.slotsPerEpoch + 32 : Infinity
        const now = { ...said, headSlot: Math.min(said.headSlot, head) }
        if (!isGrowing) return now
        if (at < firstAt) return { ...now, metadataCount: 4 }
        return { ...now, sequenceNumber: 2, earliestAvailableSlot: at < correctAt ? earliest - early : earliest }
      },
      blockAt: (slot, at, known) => (since(at) < syncedAfter ? (chain.orphanOf(slot)?.block ?? known) : known),
      stores: ({ block, column }) => !isGrowing || old.has(column) || block.slot >= earliest,
      answers: (reply, { at }) =>
        since(at) < readyAfter ? { sent: [], waitMs: reply.waitMs, error: unsupported } : reply
    }
  }

export const honestRestarts: ReadonlyArray<MakeConduct> = [restarting(false)]

/** Of these a peer has one at most, like of the other conducts that decide what is claimed. */
export const honestChanges: ReadonlyArray<MakeConduct> = [grow, growRefusing, backfilling, restarting(true)]
