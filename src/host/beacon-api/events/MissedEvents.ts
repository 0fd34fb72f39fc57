import type { ChainEvent } from "../../../domain/network/Block.ts"
import { type ChainParameters, epochStart } from "../../../domain/network/Chain.ts"
import type { Checkpoint } from "../../../domain/peer/Claim.ts"
import type { Header } from "../BeaconNode.ts"
import { reorgSinceFinality, type Seen } from "./EventMessage.ts"

export const nothingSeen: Seen = { head: undefined, finalizedSlot: undefined }

/** What was told, after these events too. */
export const withTold = (chain: ChainParameters, seen: Seen, events: ReadonlyArray<ChainEvent>): Seen =>
  events.reduce((before, event) => remember(chain, before, event), seen)

const remember = (chain: ChainParameters, seen: Seen, event: ChainEvent): Seen => {
  switch (event._tag) {
    case "Head":
      return { ...seen, head: event.head }
    case "Finalized":
      return { ...seen, finalizedSlot: epochStart(chain, event.epoch) }
    case "Reorg":
      return seen
  }
}

/** What a node answers when it is asked in place of an event. */
export interface Answer {
  readonly head: Pick<Header, "slot" | "root" | "parentRoot">
  /** `undefined` if it did not say. */
  readonly finalized: Checkpoint | undefined
}

/**
 * What may have happened since `before` by this answer, and is not told by `now`: events that came while the node was
 * asked are newer than the answer. A head's root stands for its whole chain, so that one that does not follow from the
 * one before may hide a reorg over all that was not final then.
 */
export const missedEvents = (
  chain: ChainParameters,
  { answer: { finalized, head }, before, now }: { readonly answer: Answer; readonly before: Seen; readonly now: Seen }
): ReadonlyArray<ChainEvent> => {
  const events: Array<ChainEvent> = []
  if (before.head !== undefined && before.head.root !== head.root && before.head.root !== head.parentRoot) {
    const slots = [before.head.slot, head.slot, now.head?.slot ?? head.slot]
    events.push(reorgSinceFinality(before, Math.min(...slots), Math.max(...slots)))
  }
  const isOldHead = now.head?.root !== before.head?.root && head.slot <= (now.head?.slot ?? -1)
  if (now.head?.root !== head.root && !isOldHead) {
    events.push({ _tag: "Head", head: { slot: head.slot, root: head.root } })
  }
  if (finalized !== undefined) {
    const slot = epochStart(chain, finalized.epoch)
    const isOld = now.finalizedSlot !== before.finalizedSlot && slot < (now.finalizedSlot ?? -1)
    if (slot !== now.finalizedSlot && !isOld) {
      events.push({ _tag: "Finalized", epoch: finalized.epoch, root: finalized.root })
    }
  }
  return events
}
