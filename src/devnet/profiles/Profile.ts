import type { Effect, Scope } from "effect"
import type { StreamFailure } from "../../wire/StreamEnd.ts"
import type { StatusMessage } from "../../wire/Handshake.ts"
import type { Reply } from "../../wire/Server.ts"
import type { ChainState } from "../chain/ChainState.ts"
import type { DevBlock, Sidecar } from "../chain/DevBlock.ts"
import type { DevChain } from "../chain/DevChain.ts"
import type { Random } from "../chain/Random.ts"

/** A kind of peer: how many custody groups it claims, and where it departs from honest conduct. */
export interface Profile {
  /** What metadata and ENR say, 4 to 128. */
  readonly custodyGroupCount: (random: Random) => number
  /** The parts of honest conduct that are otherwise here. Runs once, when the peer starts; its fibers end with it. */
  readonly depart: (honest: Conduct, peer: PeerContext) => Effect.Effect<Partial<Conduct>, never, Scope.Scope>
}

/** What a profile may know of its peer, and do with it. */
export interface PeerContext {
  readonly chain: DevChain
  /** 32 bytes. */
  readonly nodeId: Uint8Array
  /** What `custodyGroupCount` of the profile gave. */
  readonly custodyGroupCount: number
  /** Whether a request below the earliest available slot gets code 3, as from some clients, and not just silence. */
  readonly strict: boolean
  /** Determined by the seed and the peer's place in the devnet. */
  readonly random: Random
  /** Sees to it that the remote peer gets a Goodbye with `code` and loses its connections. Returns at once. */
  readonly dismiss: (peerId: string, code: number) => Effect.Effect<void>
  /** Closes every connection without a word. */
  readonly dropAll: Effect.Effect<void>
}

/** All that a peer says and does which a profile may change. */
export interface Conduct {
  /** What the peer says of itself in MetaData, Status and its ENR. */
  readonly claim: Effect.Effect<PeerClaim>
  /** The last word on the Status that the peer gives. */
  readonly status: (status: StatusMessage) => StatusMessage
  /** Which columns of which slots are in its database, now. */
  readonly stored: Effect.Effect<(state: ChainState, slot: number, column: number) => boolean>
  /** From the sidecars that are requested and stored, ascending by (slot, column): those that are sent, in this order. */
  readonly select: (items: ReadonlyArray<ColumnOf>, wanted: RequestedColumns) => ReadonlyArray<ColumnOf>
  /** The sidecar as it is sent. */
  readonly sidecar: (item: ColumnOf) => Sidecar
  /** Writes the response. When it returns, the stream is closed cleanly. */
  readonly respond: (response: ColumnResponse) => Effect.Effect<void, StreamFailure>
}

export interface PeerClaim {
  readonly custodyGroupCount: number
  /** MetaData seq_number. */
  readonly sequenceNumber: number
  readonly earliestAvailableSlot: number
}

/** One column of one block. */
export interface ColumnOf {
  readonly block: DevBlock
  readonly column: number
}

/** What a request by range or by root comes to. */
interface RequestedColumns {
  readonly state: ChainState
  /** The canonical blocks of the range, or those whose roots are asked for and known. */
  readonly blocks: ReadonlyArray<DevBlock>
  readonly columns: ReadonlyArray<number>
}

/** A response about to be written. */
export interface ColumnResponse {
  /** Of the remote. */
  readonly peerId: string
  /** What `select` chose. */
  readonly items: ReadonlyArray<ColumnOf>
  /** The whole success chunk of an item. */
  readonly chunk: (item: ColumnOf) => Uint8Array
  readonly reply: Reply
}
