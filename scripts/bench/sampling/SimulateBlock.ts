import { makeBlockSampling } from "../../../src/domain/availability/BlockSampling.ts"
import type { Assignment, Candidate } from "../../../src/domain/availability/ChooseWitnesses.ts"
import type { Decision } from "../../../src/domain/availability/Decide.ts"
import { orderColumns } from "../../../src/domain/availability/OrderColumns.ts"
import type { SampleStage } from "../../../src/domain/availability/SampleCount.ts"

/** A peer of a network that is only thought of. Times are milliseconds from the start of the slot. */
export interface SimulatedWitness extends Omit<Candidate, "hasReached"> {
  /** It answers nothing, refuses, or answers after so long. */
  readonly answers: "never" | "refuses" | number
  /** From when on it has a column, if that was published. */
  readonly hasFrom: (column: number) => number
  /** Columns that it keeps to itself. */
  readonly hides: (column: number) => boolean
  /** From when on it says that its head has reached the slot. */
  readonly reachesAt: number
}

export interface SimulatedBlock {
  readonly peers: ReadonlyArray<SimulatedWitness>
  /** Columns that nobody has. */
  readonly withheld: ReadonlySet<number>
  readonly own: ReadonlySet<number>
  readonly stages: ReadonlyArray<SampleStage>
  readonly draw: () => number
  readonly sampleAt: number
  readonly settledAt: number
  readonly deadline: number
}

export interface Simulated {
  readonly decision: Decision
  readonly decidedAt: number
  /** The columns of the first stage, in their order. */
  readonly first: ReadonlyArray<number>
  /** Whether any of those was asked for and has not come. */
  readonly isNoticed: boolean
}

/** Samples one block with the program's own choice and decision, in steps of half a second. */
export const simulateBlock = (block: SimulatedBlock): Simulated => {
  const { deadline, draw, peers, sampleAt, settledAt, stages, withheld } = block
  const order = orderColumns(block.own, draw)
  const sampling = makeBlockSampling({ order, stages, settledAt, patienceMs: 2_000, draw })
  const byId = new Map(peers.map((peer) => [peer.peerId, peer]))
  const first = order.slice(0, stages[0]?.count ?? 0)
  const isNoticed = (): boolean => {
    const { present } = sampling.columns()
    return first.some((column) => !present.includes(column))
  }
  let waiting: ReadonlyArray<Question> = []
  for (let now = sampleAt; now <= deadline; now += step) {
    const due = waiting.filter(({ answeredAt }) => answeredAt <= now)
    waiting = waiting.filter(({ answeredAt }) => answeredAt > now)
    for (const { askedAt, assignment } of due) {
      const peer = byId.get(assignment.witness.peerId)
      sampling.hear(assignment, askedAt, peer === undefined ? undefined : answerOf(peer, assignment, withheld, askedAt))
    }
    const decision = sampling.decide(false)
    if (decision.verdict !== "undetermined") return { decision, decidedAt: now, first, isNoticed: isNoticed() }
    if (now + step > deadline) break
    for (const assignment of sampling.next(candidatesAt(peers, now), now, Infinity)) {
      const answers = byId.get(assignment.witness.peerId)?.answers ?? "never"
      const took = answers === "never" ? timeout : answers === "refuses" ? refusal : answers
      waiting = [...waiting, { assignment, askedAt: now, answeredAt: now + took }]
    }
  }
  return { decision: sampling.decide(true), decidedAt: deadline, first, isNoticed: isNoticed() }
}

const candidatesAt = (peers: ReadonlyArray<SimulatedWitness>, now: number): ReadonlyArray<Candidate> =>
  peers.map((peer) => ({
    peerId: peer.peerId,
    family: peer.family,
    group: peer.group,
    columns: peer.columns,
    score: peer.score,
    hasReached: peer.reachesAt <= now
  }))

interface Question {
  readonly assignment: Assignment
  readonly askedAt: number
  readonly answeredAt: number
}

const answerOf = (peer: SimulatedWitness, { columns }: Assignment, withheld: ReadonlySet<number>, askedAt: number) => {
  if (typeof peer.answers !== "number") return undefined
  const has = (column: number): boolean =>
    !withheld.has(column) && !peer.hides(column) && peer.hasFrom(column) <= askedAt
  return {
    asked: columns,
    present: columns.filter(has),
    absent: columns.filter((column) => !has(column)),
    hasReached: peer.reachesAt <= askedAt
  }
}

const step = 500
const refusal = 100
/** A peer that does not answer is given up after that. */
const timeout = 10_000
