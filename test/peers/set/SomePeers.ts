import type { Candidate, Member } from "../../../src/peers/set/ChoosePeers.ts"
import { columnSet } from "../../../src/peers/set/ColumnSet.ts"

/** The columns 0, 1, … */
export const columnsUpTo = (count: number): ReadonlyArray<number> => Array.from({ length: count }, (_, n) => n)

export const candidate = (
  peerId: string,
  columns: ReadonlyArray<number>,
  over: Partial<Candidate> = {}
): Candidate => ({
  peerId,
  columns: columnSet(columns),
  custodyGroupCount: columns.length,
  family: "lighthouse",
  touchedAt: 0,
  isReachable: false,
  score: 0.5,
  places: [],
  ...over
})

export const member = (peerId: string, columns: ReadonlyArray<number>, over: Partial<Member> = {}): Member => ({
  peerId,
  columns: columnSet(columns),
  custodyGroupCount: columns.length,
  family: "lighthouse",
  isChosen: true,
  isConnected: true,
  isDialling: false,
  isLeaving: false,
  mayGo: true,
  score: 0.5,
  since: 0,
  places: [],
  ...over
})
