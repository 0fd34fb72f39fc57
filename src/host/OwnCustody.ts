import { Context, type Effect, Option, type Scope } from "effect"
import type { Guest } from "../domain/custody/ServeLimits.ts"
import type { SlotRoot } from "../domain/network/Block.ts"
import type { Slot } from "../domain/Primitives.ts"
import type { Reply } from "../wire/Server.ts"
import type { StreamFailure } from "../wire/StreamEnd.ts"

/** Answers one request: `ssz` is its body, as `wire/Requests` decodes it. */
export type AnswerColumns = (ssz: Uint8Array, guest: Guest, reply: Reply) => Effect.Effect<void, StreamFailure>

/** What our Status says of columns: that every one that we owe is there from a slot on, up to a block. */
export interface CustodyClaim {
  readonly earliestAvailableSlot: Slot
  /** The newest canonical block up to which nothing lacks; none while there is no such slot. */
  readonly head: Option.Option<SlotRoot>
}

/** Keeps columns, and gives them to whoever asks. */
export interface Custodian {
  readonly claim: Effect.Effect<CustodyClaim>
  /** DataColumnSidecarsByRange v1. */
  readonly byRange: AnswerColumns
  /** DataColumnSidecarsByRoot v1. */
  readonly byRoot: AnswerColumns
}

/** A node of ours that tells its peers that it keeps columns. */
export interface CustodyNode {
  /** What its MetaData says. */
  readonly custodyGroupCount: number
  /**
   * Has it say and serve what the custodian has, until the scope closes. Before and after that it says that it has nothing but
   * its head, and answers with an error: what it has is not told yet.
   */
  readonly employ: (custodian: Custodian) => Effect.Effect<void, never, Scope.Scope>
}

/**
 * The seam for custody that we take on ourselves, none unless a host provides one: then our node claims the least that is
 * allowed, from its head on, and keeps nothing.
 */
export class OwnCustody extends Context.Reference<OwnCustody>()("dasmon/OwnCustody", {
  defaultValue: (): Option.Option<CustodyNode> => Option.none()
}) {}
