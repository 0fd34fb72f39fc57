import { Context, type Effect, Option } from "effect"
import type { Epoch, Root, Slot } from "../domain/Primitives.ts"
import type { ExternsError } from "./Externs.ts"

/** A block that the beacon node has imported: everything that the specification asks of a block holds of it. */
export interface ImportedBlock {
  readonly slot: Slot
  readonly root: Root
  readonly parentRoot: Root
  /** Whether it is on the chain of the node's head at this moment. */
  readonly isCanonical: boolean
}

/** Who proposes the blocks of one epoch, on every branch that has the same block at `decidedAt`. */
export interface Proposers {
  readonly epoch: Epoch
  /** The last block of the node's chain that is not after `decidedAt`. */
  readonly dependentRoot: Root
  readonly decidedAt: Slot
  readonly bySlot: ReadonlyMap<Slot, Proposer>
}

interface Proposer {
  readonly index: number
  /** BLS, 48 bytes. */
  readonly publicKey: Uint8Array
}

/**
 * What gossip is held against beside the blocks of `Externs`. Nobody caches here; whoever asks does, and asks seldom: a few
 * questions a slot.
 */
export interface GossipQuestions {
  /** None where the node has no such block. */
  readonly block: (root: Root) => Effect.Effect<Option.Option<ImportedBlock>, ExternsError>
  /** Of an epoch up to the one after the present. */
  readonly proposers: (epoch: Epoch) => Effect.Effect<Proposers, ExternsError>
  /** The public key of a validator; none where there is no such validator. */
  readonly validatorKey: (index: number) => Effect.Effect<Option.Option<Uint8Array>, ExternsError>
}

/**
 * The seam through which gossip is judged before our beacon node has imported its block, none unless a host provides it:
 * without it columns are judged by the canonical block alone, and later.
 */
export class GossipTruth extends Context.Reference<GossipTruth>()("dasmon/GossipTruth", {
  defaultValue: (): Option.Option<GossipQuestions> => Option.none()
}) {}
