import { Option } from "effect"
import type { BeaconNodeCondition, BeaconNodeState } from "../../../domain/network/BeaconNodeState.ts"
import type { Checkpoint } from "../../../domain/peer/Claim.ts"
import type { BeaconNode } from "../BeaconNode.ts"
import { type Choosable, isTrusted } from "./Choose.ts"
import type { Look } from "./LookAt.ts"

/** What is known of one node of several. */
interface MemberState extends Choosable {
  /** It has been looked at, whatever came of that. */
  readonly isKnown: boolean
  readonly reason: string | null
  readonly since: number
  readonly headSlot: number | null
  readonly finalized: Checkpoint | null
}

/** One beacon node of several, and what was found when it was looked at; the pool alone changes it. */
export interface Member {
  readonly node: BeaconNode
  readonly role: "main" | "backfill"
  /** In the order of preference, from 0. */
  readonly place: number
  readonly state: () => MemberState
  readonly take: (look: Look, now: number) => void
  /** Puts a node that answers well behind, or beside, the others. */
  readonly setBehind: (reason: string | null, now: number) => void
  readonly shown: (inUse: boolean) => BeaconNodeState
}

export const makeMember = (node: BeaconNode, role: Member["role"], place: number, startedAt: number): Member => {
  let state: MemberState = {
    role,
    condition: "unreachable",
    wellLooks: 0,
    isKnown: false,
    reason: "it has not answered yet",
    since: startedAt,
    headSlot: null,
    finalized: null
  }
  const change = (condition: BeaconNodeCondition, now: number, more: Partial<MemberState>): void => {
    state = { ...state, ...more, condition, since: condition === state.condition ? state.since : now }
  }
  return {
    node,
    role,
    place,
    state: () => state,
    take: ({ condition, finalized, headSlot, reason }, now) => {
      // That it answers does not bring it up to the others: it stays behind until they are compared.
      const isBehind = condition === "well" && state.condition === "behind"
      change(isBehind ? "behind" : condition, now, {
        isKnown: true,
        reason: isBehind ? state.reason : Option.getOrNull(reason),
        wellLooks: condition === "well" && !isBehind ? state.wellLooks + 1 : 0,
        headSlot: Option.getOrElse(headSlot, () => state.headSlot),
        finalized: Option.getOrElse(finalized, () => state.finalized)
      })
    },
    setBehind: (reason, now) =>
      reason === null
        ? change("well", now, { reason, wellLooks: Math.max(state.wellLooks, 1) })
        : change("behind", now, { reason, wellLooks: 0 }),
    shown: (inUse) => {
      const { condition, finalized, headSlot, reason, since } = state
      return { name: node.name, role, inUse, condition, reason, since, headSlot, finalized }
    }
  }
}

/**
 * Of the nodes that answer well, those whose heads are far behind the newest are not well, also while who told of that one is
 * away; and they are not until they have caught up.
 */
export const withBehind = (members: ReadonlyArray<Member>, now: number): void => {
  const newest = Math.max(...members.map(({ state }) => (isTrusted(state().condition) ? (state().headSlot ?? 0) : 0)))
  for (const { setBehind, state } of members) {
    const { condition, headSlot } = state()
    if (condition !== "well" && condition !== "behind") continue
    const behind = newest - (headSlot ?? 0)
    const tolerable = condition === "behind" ? caughtUpSlots : tolerableSlots
    setBehind(behind > tolerable ? `its head is ${behind} slots behind that of another node` : null, now)
  }
}

/** They are looked at one after the other, and the node for the backfill but once a minute. */
const tolerableSlots = 16
const caughtUpSlots = 8
