import { slotAt } from "../../../src/domain/network/Chain.ts"
import { refusalOf, resultCodes } from "../../../src/wire/Refusal.ts"
import { chance } from "./Chance.ts"
import type { Conduct, MakeConduct, Piece, Reply, Self } from "./Conduct.ts"

/** A way to keep less than is claimed; `fraction` is of `unit`s. */
export interface Liar {
  readonly name: string
  readonly make: MakeConduct
  /** What it withholds at random, for those of which the least number of requests can be computed. */
  readonly withholds?: { readonly unit: "combinations" | "slots" | "columns"; readonly fraction: number }
  /** Whether it escapes the questions that would settle what it left out: it is found out by that, and later. */
  readonly escapes?: boolean
}

type Lacks = (piece: Piece) => boolean

const atRandom =
  ({ seed }: Self, fraction: number): Lacks =>
  ({ block, column }) =>
    chance(seed, block.slot, column, 91) < fraction

const someSlots =
  ({ seed }: Self, fraction: number): Lacks =>
  ({ block }) =>
    chance(seed, block.slot, 92) < fraction

const withholding = (name: string, lacks: (self: Self) => Lacks, more: Partial<Liar> = {}): Liar => ({
  name,
  make: (self) => {
    const isLacking = lacks(self)
    return { name, stores: (piece) => !isLacking(piece) }
  },
  ...more
})

const ofCombinations = (fraction: number): Liar =>
  withholding(`combinations ${fraction}`, (self) => atRandom(self, fraction), {
    withholds: { unit: "combinations", fraction }
  })
const ofSlots = (fraction: number): Liar =>
  withholding(`slots ${fraction}`, (self) => someSlots(self, fraction), { withholds: { unit: "slots", fraction } })

const oneColumn = withholding(
  "one column",
  ({ columnsOf, seed }) => {
    const columns = columnsOf(4)
    const gone = columns[Math.floor(chance(seed, 93) * columns.length)]
    return ({ column }) => column === gone
  },
  { withholds: { unit: "columns", fraction: 1 / 4 } }
)

const pruneHalf = withholding("prune half", ({ chain, firstSlot, startedAt }) => {
  const middle = (firstSlot + slotAt(chain.parameters, startedAt)) / 2
  return ({ block }) => block.slot < middle
})

/** Claims 64 groups and keeps four. */
const overclaim: Liar = {
  name: "overclaim",
  make: () => ({ name: "overclaim", said: (said) => ({ ...said, metadataCount: 64 }) })
}

/** Sends something else instead of what it lacks. */
const instead = (name: string, change: (reply: Reply, isLacking: Lacks, via: Piece["via"]) => Reply): Liar => ({
  name,
  make: (self) => {
    const isLacking = atRandom(self, 0.05)
    return { name, answers: (reply, { via }) => change(reply, isLacking, via) }
  }
})

const eachInstead = (name: string, what: Partial<Reply["sent"][number]>): Liar =>
  instead(name, (reply, isLacking, via) => ({
    ...reply,
    sent: reply.sent.map((sent) => (isLacking({ ...sent, via }) ? { ...sent, ...what } : sent))
  }))

/** Refuses where it should send what it lacks. */
const unavailable = instead("unavailable", (reply, isLacking, via) => {
  const at = reply.sent.findIndex((sent) => isLacking({ ...sent, via }))
  return at < 0
    ? reply
    : { ...reply, sent: reply.sent.slice(0, at), error: refusalOf(resultCodes.resourceUnavailable, "pruned") }
})

export const plainLiars: ReadonlyArray<Liar> = [
  ofCombinations(0.1),
  ofCombinations(0.01),
  ofCombinations(0.001),
  ofSlots(0.1),
  ofSlots(0.01),
  oneColumn,
  pruneHalf,
  overclaim,
  unavailable,
  eachInstead("corrupt cells", { isCorrupt: true }),
  eachInstead("wrong block", { root: new Uint8Array(32).fill(0xee) }),
  eachInstead("malformed", { isGarbage: true })
]

/**
 * One that withholds a tenth, and tells the question that would settle it from others: it comes by root, and not right
 * after one by range.
 */
export const escaping = (
  name: string,
  escape: (self: Self, state: EscapeState) => Pick<Conduct, "said" | "answers">
): Liar => ({
  name,
  escapes: true,
  make: (self) => {
    const isLacking = atRandom(self, 0.1)
    const state: EscapeState = { lackedAt: -Infinity, lackedSlot: 0, pressedAt: -Infinity, pressedSlot: 0 }
    let rangeAt = -Infinity
    const { answers, said } = escape(self, state)
    return {
      name,
      groups: 8,
      ...(said === undefined ? {} : { said }),
      stores: (piece, at) => {
        const lacks = isLacking(piece)
        if (lacks && piece.via === "range") {
          state.lackedAt = at
          state.lackedSlot = Math.max(piece.block.slot, state.lackedSlot)
        } else if (lacks && at - rangeAt > 5_000) {
          state.pressedAt = at
          state.pressedSlot = piece.block.slot
        }
        if (piece.via === "range" && at - state.pressedAt > 5_000) rangeAt = at
        return !lacks
      },
      answers: (reply, asked) => answers?.(reply, asked) ?? reply
    }
  }
})

/** What an escaping liar remembers. */
export interface EscapeState {
  /** Unix milliseconds at which it left something out of an answer by range, and the newest such slot. */
  lackedAt: number
  lackedSlot: number
  /** The same of the question that would settle it. */
  pressedAt: number
  pressedSlot: number
}
