import { columnsToReconstruct, epochStart, serveRange, slotAt, slotStart } from "../../../src/domain/network/Chain.ts"
import { between, chance } from "./Chance.ts"
import type { MakeConduct, Piece } from "./Conduct.ts"

const seconds = 1000
const minutes = 60 * seconds

/** Prunes by a clock that is up to an epoch ahead. */
const pruneEarly: MakeConduct = ({ chain: { parameters }, seed }) => {
  const ahead = between(0, parameters.slotsPerEpoch, chance(seed, 51))
  return {
    name: "prune-early",
    stores: ({ block }, at) => block.slot >= serveRange(parameters, slotAt(parameters, at) + ahead).start
  }
}

/** Loses the race with the head: the columns of some slots come minutes later. */
const lateColumns: MakeConduct = ({ chain: { parameters }, seed }) => ({
  name: "late-columns",
  stores: ({ block }, at) => {
    const isLate = chance(seed, block.slot, 52) < 0.1
    const lateMs = isLate ? 400 * seconds * chance(seed, block.slot, 53) : 60 * seconds * chance(seed, block.slot, 54)
    return at >= slotStart(parameters, block.slot) + lateMs
  }
})

/** Columns come late at every slot, but within the eight slots for which nobody is asked. */
export const slowColumns: MakeConduct = ({ chain: { parameters }, seed }) => ({
  name: "slow-columns",
  stores: ({ block }, at) =>
    at >= slotStart(parameters, block.slot) + (60 + 34 * chance(seed, block.slot, 65)) * seconds
})

/** Serves the columns of an orphan for minutes after its block was replaced, and not those of the other block. */
const orphanServer: MakeConduct = ({ chain, seed }) => {
  const isBehind = (slot: number, at: number): boolean => {
    const orphan = chain.orphanOf(slot)
    return orphan !== undefined && at < orphan.until + 5 * minutes * chance(seed, slot, 55)
  }
  return {
    name: "orphan-server",
    blockAt: (slot, at, known) => (isBehind(slot, at) ? chain.orphanOf(slot)?.block : known),
    stores: ({ block }, at) => !isBehind(block.slot, at) || chain.orphanOf(block.slot)?.block === block
  }
}

/** Rebuilds the second half of the columns on demand, and leaves them out until that is done (Teku). */
const onDemand: MakeConduct = ({ seed }) => {
  const isHeld = askedBefore((piece) => chance(seed, piece.block.slot, piece.column, 56) * 60 * seconds)
  return {
    name: "on-demand",
    groups: 32,
    stores: (piece, at) =>
      piece.column < columnsToReconstruct ||
      chance(seed, piece.block.slot, piece.column, 57) >= 0.3 ||
      isHeld(piece, at)
  }
}

/** Lies once, and serves everything when it is asked a second time. */
export const secondTime: MakeConduct = ({ seed }) => {
  const isHeld = askedBefore(() => 60 * seconds)
  return {
    name: "second-time",
    stores: (piece, at) => chance(seed, piece.block.slot, piece.column, 58) >= 0.1 || isHeld(piece, at)
  }
}

/** Whether the piece was asked for so long ago, by this or by another question. */
const askedBefore = (waitMs: (piece: Piece) => number) => {
  const asked = new Map<number, number>()
  return (piece: Piece, at: number): boolean => {
    const key = piece.block.slot * 128 + piece.column
    const first = asked.get(key)
    if (first === undefined) asked.set(key, at)
    return first !== undefined && at - first >= waitMs(piece)
  }
}

/**
 * Serves by range from the archive and by root from the hot database, and a block that has just become final is for
 * minutes in neither (Lodestar).
 */
const archiveEdge: MakeConduct = ({ chain, seed }) => ({
  name: "archive-edge",
  stores: ({ block, via }, at) => {
    const final = chain.finalFrom(block.slot)
    return via === "range"
      ? at < final || at >= final + (30 + 150 * chance(seed, block.slot, 59)) * seconds
      : at < final + 60 * seconds * chance(seed, block.slot, 60)
  }
})

/** Speaks Status version 1, and has nothing from before it started from a checkpoint. */
const statusV1: MakeConduct = ({ chain: { parameters }, firstSlot, seed, startedAt }) => {
  const from = between(firstSlot, slotAt(parameters, startedAt) - 64, chance(seed, 61))
  return {
    name: "status-v1",
    said: (said) => ({ ...said, earliestAvailableSlot: undefined }),
    stores: ({ block }) => block.slot >= from
  }
}

/** Starts from a checkpoint: claims the anchor's slot, has its block, and not the columns of that. */
const anchor: MakeConduct = ({ chain, firstSlot, seed, startedAt }) => {
  const { parameters } = chain
  const newest = slotAt(parameters, startedAt) - 96
  const epoch = Math.floor(between(firstSlot, newest, chance(seed, 62)) / parameters.slotsPerEpoch)
  const slot = chain.lastBlock(epochStart(parameters, epoch), startedAt)?.slot ?? firstSlot
  return {
    name: "anchor",
    said: (said) => ({ ...said, earliestAvailableSlot: slot }),
    stores: ({ block }) => block.slot > slot
  }
}

/** Its head, and what is final to it, stand still for a while, far behind. */
const syncing: MakeConduct = ({ chain, seed, startedAt }) => {
  const { parameters } = chain
  const behind = startedAt - between(20, 120, chance(seed, 63)) * 12 * seconds
  const until = startedAt + between(5, 40, chance(seed, 64)) * minutes
  return {
    name: "syncing",
    said: (said, at) =>
      at < until
        ? {
            ...said,
            headSlot: Math.min(said.headSlot, chain.lastBlock(slotAt(parameters, behind), at)?.slot ?? 0),
            finalized: chain.finalizedAt(behind)
          }
        : said,
    stores: ({ block }, at) => at >= until || block.slot <= slotAt(parameters, behind)
  }
}

/** May go together with anything. */
export const honestStores: ReadonlyArray<MakeConduct> = [
  pruneEarly,
  lateColumns,
  slowColumns,
  orphanServer,
  onDemand,
  secondTime,
  archiveEdge
]

/** Of those that decide what is claimed a peer has one at most. */
export const honestClaims: ReadonlyArray<MakeConduct> = [statusV1, anchor, syncing]
