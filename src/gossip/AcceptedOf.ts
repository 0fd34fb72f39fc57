import { Option } from "effect"
import type { AcceptedColumn } from "../arrival/ColumnArrivals.ts"
import { toHex } from "../domain/Bytes.ts"
import { bytesPerProof } from "../domain/column/Sidecar.ts"
import { type ColumnTopic, columnTopic } from "../domain/network/ColumnTopic.ts"
import type { GossipMessage } from "../host/Gossip.ts"
import type { Examined } from "./ExamineColumn.ts"

/** What is told of a column that is accepted; `at`: when it came, Unix milliseconds. */
export const acceptedOf = (
  { blockRoot, fork, header, index, slot, view }: Examined,
  topic: ColumnTopic,
  { data, from, id }: GossipMessage,
  at: number
): AcceptedColumn => ({
  slot,
  blockRoot,
  blobs: view.proofs.length / bytesPerProof,
  column: index,
  from,
  at,
  bytes: data.length,
  messageId: `0x${id}`,
  topic: columnTopic(topic),
  fork,
  header:
    view._tag === "Gloas"
      ? undefined
      : Option.getOrUndefined(
          Option.map(header, ({ parentRoot, proposerIndex }) => ({
            proposerIndex,
            parentRoot,
            stateRoot: toHex(view.header.subarray(48, 80))
          }))
        )
})
