import type { Slot } from "../../../src/domain/Primitives.ts"
import type { ClaimParts } from "../../../src/domain/peer/ClaimParts.ts"
import type { PeerDisconnected, RequestError } from "../../../src/domain/probe/Outcome.ts"
import type { SimulatedBlock, TrueChain } from "./TrueChain.ts"

/** What a peer says of itself. */
export type Said = Omit<ClaimParts, "nodeId">

/** A combination that is asked for. */
export interface Piece {
  readonly block: SimulatedBlock
  readonly column: number
  readonly via: Asked["via"]
}

export interface Asked {
  readonly via: "range" | "root"
  /** The first slot of a range, or the slot of the first root. */
  readonly startSlot: Slot
  readonly at: number
}

/** A sidecar on its way. */
export interface Sent {
  readonly block: SimulatedBlock
  readonly column: number
  /** The root that it says it is of, where that is not its block's. */
  readonly root?: Uint8Array
  readonly isCorrupt?: boolean
  /** Bytes that are no sidecar. */
  readonly isGarbage?: boolean
  /** The slot whose fork digest it carries, where that is not its own. */
  readonly contextOf?: Slot
}

export interface Reply {
  readonly sent: ReadonlyArray<Sent>
  /** How the answer ends; cleanly without one. */
  readonly error?: RequestError
  readonly waitMs: number
  /** Whether the connection is gone after it, and with which Goodbye. */
  readonly hangsUp?: number | "no goodbye"
}

/** What a peer is before it does anything of its own accord. */
export interface Self {
  readonly seed: number
  readonly chain: TrueChain
  /** Unix milliseconds at which the simulation begins. */
  readonly startedAt: number
  /** The first slot that anybody keeps at the beginning. */
  readonly firstSlot: Slot
  readonly family: string
  /** The node id's columns for a custody group count, ascending. */
  readonly columnsOf: (count: number) => ReadonlyArray<number>
}

/**
 * One way in which a peer differs from one that has everything, says so, and answers at once. A peer may have several;
 * each sees what the one before it made. `at` is in Unix milliseconds.
 */
export interface Conduct {
  readonly name: string
  /** Custody groups that it has at the most, and claims unless `said` says otherwise; 4 without it. */
  readonly groups?: number
  readonly said?: (said: Said, at: number) => Said | RequestError
  /** Whether it has the combination, and finds it. */
  readonly stores?: (piece: Piece, at: number) => boolean
  /** The block that it takes for the slot's. */
  readonly blockAt?: (slot: Slot, at: number, known: SimulatedBlock | undefined) => SimulatedBlock | undefined
  readonly answers?: (reply: Reply, asked: Asked) => Reply
  /** Why it cannot be reached at this moment, if it cannot. */
  readonly isAway?: (at: number) => PeerDisconnected | undefined
}

export type MakeConduct = (self: Self) => Conduct
