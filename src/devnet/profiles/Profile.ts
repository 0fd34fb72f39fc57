import type { Connection } from "@libp2p/interface"
import type { Effect, Option, Scope } from "effect"
import type { StreamFailure } from "../../wire/StreamEnd.ts"
import type { StatusMessage } from "../../wire/Handshake.ts"
import type { Protocol } from "../../wire/Protocol.ts"
import type { Reply } from "../../wire/Server.ts"
import type { ChainState } from "../chain/ChainState.ts"
import type { DevBlock, Sidecar } from "../chain/DevBlock.ts"
import type { DevChain } from "../chain/DevChain.ts"
import type { PartialSeries } from "../chain/PartialBlocks.ts"
import type { Random } from "../chain/Random.ts"
import type { Client } from "../peer/Agents.ts"
import type { Ledger } from "../peer/Ledger.ts"

/** A kind of peer: how many custody groups it claims, and where it departs from honest conduct. */
export interface Profile {
  /** What metadata and ENR say at the start, 4 to 128. */
  readonly custodyGroupCount: (random: Random) => number
  /** The client that it appears as; all of them take turns if left out. */
  readonly client?: Client
  /** What becomes of some blocks, for the whole network, where such a peer is. */
  readonly partial?: PartialSeries
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
  /** Returns once somebody has connected, now or before: what a peer does at first, somebody can see. */
  readonly met: Effect.Effect<void>
  /** Sees to it that the remote peer gets a Goodbye with `code` and loses its connections. Returns at once. */
  readonly dismiss: (peerId: string, code: number, reason?: string) => Effect.Effect<void>
  /** Sees to it that the remote peer loses its connections. Returns at once. */
  readonly hangUp: (peerId: string) => Effect.Effect<void>
  /** Closes every connection without a word. */
  readonly dropAll: Effect.Effect<void>
  /** Runs for each connection whose remote has said who it is, until that closes or the scope does. */
  readonly visited: (visit: (connection: Connection) => Effect.Effect<void>) => Effect.Effect<void, never, Scope.Scope>
  /** What it did to others: tests read it. */
  readonly ledger: Ledger
}

/** All that a peer says and does which a profile may change. */
export interface Conduct {
  /** The chain as the peer sees it: what its Status tells, and where the blocks that it serves come from. */
  readonly view: Effect.Effect<ChainState>
  /** What the peer says of itself in MetaData, Status and its ENR. */
  readonly claim: Effect.Effect<PeerClaim>
  /** Registers its handlers, all of them, for as long as their scope is open; until then it speaks none of its protocols. */
  readonly serve: (handlers: Effect.Effect<void, never, Scope.Scope>) => Effect.Effect<void, never, Scope.Scope>
  /** What stands before every request: an error in place of the response, if anything. */
  readonly admit: (request: Admission) => Effect.Effect<Option.Option<Refusal>>
  /** Runs when bytes came that are no request. */
  readonly undecodable: (peerId: string) => Effect.Effect<void>
  /** The last word on the Status that the peer gives. */
  readonly status: (status: StatusMessage) => StatusMessage
  /** Responds to a Status. When it returns, the stream is closed cleanly. */
  readonly greet: (greeting: Greeting) => Effect.Effect<void, StreamFailure>
  /** Which columns are in its database, now, and found by a request such as this. */
  readonly stored: Effect.Effect<(item: ColumnOf, request: ColumnRequest) => boolean>
  /** From the sidecars that are requested and stored, ascending by (slot, column): those that are sent, in this order. */
  readonly select: (items: ReadonlyArray<ColumnOf>, request: ColumnRequest) => ReadonlyArray<ColumnOf>
  /** The sidecar as it is sent. */
  readonly sidecar: (item: ColumnOf) => Sidecar
  /** The context bytes of a sidecar of `slot`, `0x` and 8 digits. */
  readonly context: (slot: number, request: ColumnRequest) => string
  /**
   * What it pushes by gossip of a new block, from what it would push: each column that it claims and that was published,
   * when it has come. `isHeard` tells whether somebody else is on the topic of a column.
   */
  readonly push: (
    block: DevBlock,
    usual: ReadonlyArray<Push>,
    isHeard: (column: number) => boolean
  ) => ReadonlyArray<Push>
  /** Writes the response. When it returns, the stream is closed cleanly. */
  readonly respond: (response: ColumnResponse) => Effect.Effect<void, StreamFailure>
}

/** A message of gossip. */
export interface Push {
  /** The column whose topic it goes to. */
  readonly topic: number
  /** Slots after the start of the block's slot. */
  readonly at: number
  /** What is sent, SSZ. */
  readonly message: () => Uint8Array
}

export interface PeerClaim {
  readonly custodyGroupCount: number
  /** MetaData seq_number. */
  readonly sequenceNumber: number
  readonly earliestAvailableSlot: number
}

/** A request that has come, of any protocol. */
export interface Admission {
  readonly protocol: Protocol
  /** Its body. */
  readonly ssz: Uint8Array
  /** Of the remote. */
  readonly peerId: string
}

/** An error chunk. */
export interface Refusal {
  readonly code: number
  readonly message: string
}

/** A Status that waits for its response. */
interface Greeting {
  /** Of the remote. */
  readonly peerId: string
  /** What the remote says of itself. */
  readonly theirs: StatusMessage
  /** Sends the peer's own Status. */
  readonly send: Effect.Effect<void, StreamFailure>
  readonly reply: Reply
}

/** One column of one block. */
export interface ColumnOf {
  readonly block: DevBlock
  readonly column: number
}

/** What a request by range or by root comes to. */
export interface ColumnRequest {
  readonly by: "range" | "root"
  /** Of the remote. */
  readonly peerId: string
  /** The peer's own at this moment. */
  readonly claim: PeerClaim
  /** The chain as the peer sees it at this moment. */
  readonly view: ChainState
  /** Whether this is a range that begins below the earliest available slot that the peer claims. */
  readonly isBelowClaim: boolean
  /** The canonical blocks of the range, or those whose roots are asked for and known. */
  readonly blocks: ReadonlyArray<DevBlock>
  readonly columns: ReadonlyArray<number>
}

/** A response about to be written. */
export interface ColumnResponse {
  readonly request: ColumnRequest
  /** What `select` chose. */
  readonly items: ReadonlyArray<ColumnOf>
  /** What is requested and not stored, though the peer claims to have it. */
  readonly lacking: ReadonlyArray<ColumnOf>
  /** The whole success chunk of an item. */
  readonly chunk: (item: ColumnOf) => Uint8Array
  readonly reply: Reply
}
