import { Context, Data, type Effect, type Stream } from "effect"
import type { Block, ChainEvent, Head } from "../domain/network/Block.ts"
import type { ChainParameters, SlotRange } from "../domain/network/Chain.ts"
import type { ClaimParts } from "../domain/peer/ClaimParts.ts"
import type { RequestError } from "../domain/probe/Outcome.ts"
import type { PeerAddress } from "../domain/peer/PeerAddress.ts"
import type { ProvenRange } from "./ProvenRange.ts"

/** The chain could not be asked. It is retried, and until it answers nothing is judged. */
export class ExternsError extends Data.TaggedError("ExternsError")<{
  /** What was asked: a method, a URL. */
  readonly operation: string
  readonly reason: string
  /** Of a range that cannot be told whole: its parts that are proven nevertheless. */
  readonly proven?: ReadonlyArray<ProvenRange>
}> {
  override get message(): string {
    return `${this.operation}: ${this.reason}`
  }
}

/**
 * The chain and custody knowledge of a beacon node: the seam for embedding. A host that is a beacon node implements
 * it; standalone it is the Beacon API and req/resp (`StandaloneExterns.layer`).
 */
export class Externs extends Context.Tag("dasmon/Externs")<
  Externs,
  {
    readonly chain: ChainParameters
    /** What the (connected) peer says now, from Status and MetaData; the handshake, when it is the first time. */
    readonly peerRefresh: (peer: PeerAddress) => Effect.Effect<Omit<ClaimParts, "nodeId">, RequestError>
    /**
     * The canonical blocks of a range, ascending; a slot without an entry has no block. Never a partial answer: it fails
     * where a slot cannot be told, and may say in the error's `proven` what can.
     */
    readonly chainQuery: (range: SlotRange) => Effect.Effect<ReadonlyArray<Block>, ExternsError>
    readonly chainHead: Effect.Effect<Head, ExternsError>
    /**
     * The present head first, then head, finality and reorgs; reconnects by itself and tells of a reorg whenever it may
     * have missed one.
     */
    readonly chainEvents: Stream.Stream<ChainEvent>
  }
>() {}
