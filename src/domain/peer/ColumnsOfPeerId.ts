import { Either, Option } from "effect"
import { custodyColumns } from "../column/Custody.ts"
import type { PeerId } from "../Primitives.ts"
import { nodeIdOfPeerId } from "./NodeId.ts"

/**
 * The columns that a node of this peer id keeps with so many custody groups, ascending; none where its id does not tell
 * its node id.
 */
export const columnsOfPeerId = (peerId: PeerId, custodyGroupCount: number): ReadonlyArray<number> =>
  Option.match(Either.getRight(nodeIdOfPeerId(peerId)), {
    onNone: () => [],
    onSome: (nodeId) => custodyColumns(nodeId, custodyGroupCount)
  })
