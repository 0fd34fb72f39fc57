import { Effect, Option } from "effect"
import type { CommitmentCache } from "../chain/CommitmentCache.ts"
import { type ChainParameters, epochStart } from "../domain/network/Chain.ts"
import type { Claim } from "../domain/peer/Claim.ts"
import type { Slot } from "../domain/Primitives.ts"

/** Up to where a peer can be accused, and how its finalized checkpoint stands to ours. */
export interface Finality {
  /** The last slot that is final to us, and to the peer on the same chain; -1 if there is none. */
  readonly upTo: Slot
  /** The last slot that is final to us; -1 if there is none. */
  readonly ours: Slot
  /**
   * `ours`: its checkpoint is a block of our chain. `other`: it is not. `unknown`: the chain, or the host, cannot say.
   * `withheld`: it names none (epoch 0), or one that lies far behind its own head, on a network that finalizes.
   */
  readonly agreement: "ours" | "other" | "unknown" | "withheld"
}

/**
 * Only what is final is accused, of a peer whose own Status names a finalized checkpoint on our chain: a node that was
 * restarted serves, and calls final, orphans for minutes, so that neither the peer nor our own beacon node is believed
 * alone. Its finalized block and ours being of one chain, every older block is an ancestor of both.
 */
export const finalityFor = Effect.fn("Prober.finalityFor")(function* (
  chain: ChainParameters,
  commitments: CommitmentCache["Type"],
  claim: Claim
): Effect.fn.Return<Finality> {
  const final = Option.getOrUndefined(yield* commitments.finalized)
  if (final === undefined || final.epoch === 0) return { upTo: -1, ours: -1, agreement: "unknown" }
  const ours = epochStart(chain, final.epoch)
  if ((yield* commitments.compare(final)) !== "ours") return { upTo: -1, ours: -1, agreement: "unknown" }
  const theirs = claim.finalized
  // A head that is final to us already is that of a peer which is still syncing, and says nothing of what is final to it.
  const isAbreast = claim.headSlot >= ours + 2 * chain.slotsPerEpoch
  // A host that does not pass it on says nothing of the peer.
  if (theirs === null) return { upTo: -1, ours, agreement: "unknown" }
  const isBehind = theirs.epoch + farBehindEpochs < final.epoch
  if (theirs.epoch === 0) return { upTo: -1, ours, agreement: isAbreast ? "withheld" : "unknown" }
  const agreement = yield* commitments.compare(theirs)
  const upTo = agreement === "ours" ? Math.min(ours, epochStart(chain, theirs.epoch)) : -1
  return { upTo, ours, agreement: agreement === "ours" && isAbreast && isBehind ? "withheld" : agreement }
})

/** Epochs by which a peer may lag behind our finality while its head does not. */
const farBehindEpochs = 8
