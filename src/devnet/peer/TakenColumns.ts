import { TopicValidatorResult } from "@libp2p/gossipsub"
import { Effect, Either } from "effect"
import { setNewest } from "../../domain/Bounded.ts"
import { equalBytes } from "../../domain/Bytes.ts"
import { peekAnySidecar } from "../../domain/column/Sidecar.ts"
import { numberOfColumns } from "../../domain/network/Chain.ts"
import type { ColumnTopic } from "../../domain/network/ColumnTopic.ts"
import { encodeSidecar, sidecarOf } from "../chain/DevBlock.ts"
import type { DevChain } from "../chain/DevChain.ts"
import type { ColumnOf } from "../profiles/Profile.ts"

/** The columns that others have sent to a peer by gossip, and that are right; those of the last two epochs or so. */
export interface TakenColumns {
  readonly has: (item: ColumnOf) => boolean
  /** What is to become of a message: right is, byte for byte, the column of its topic of a block that is known. */
  readonly judge: (topic: ColumnTopic, data: Uint8Array) => Effect.Effect<TopicValidatorResult>
}

export const makeTakenColumns = ({ parameters, pool, state }: DevChain): TakenColumns => {
  const taken = new Map<string, true>()
  return {
    has: ({ block, column }) => taken.has(keyOf(block.root, column)),
    judge: (topic, data) =>
      Effect.map(state, ({ byRoot }) => {
        const label = peekAnySidecar(data)
        if (Either.isLeft(label) || label.right.index !== topic.column) return TopicValidatorResult.Reject
        const block = byRoot.get(label.right.blockRoot)
        if (block === undefined) return TopicValidatorResult.Ignore
        if (!equalBytes(data, encodeSidecar(block.fork, sidecarOf(pool, block, topic.column)))) {
          return TopicValidatorResult.Reject
        }
        setNewest(taken, keyOf(block.root, topic.column), true, 2 * parameters.slotsPerEpoch * numberOfColumns)
        return TopicValidatorResult.Accept
      })
  }
}

const keyOf = (root: string, column: number): string => `${root} ${column}`
