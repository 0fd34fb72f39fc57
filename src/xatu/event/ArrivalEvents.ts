import { randomUUID } from "node:crypto"
import type { ColumnArrival } from "../../domain/arrival/ColumnArrival.ts"
import { type ChainParameters, slotAt } from "../../domain/network/Chain.ts"
import { periodsOf } from "./Periods.ts"
import type { Sender, XatuEvent } from "./XatuEvent.ts"

/**
 * The first arrival of a column by gossip. Its delay is unsigned there: what comes before its slot, as clocks may have it,
 * is told as 0. From Gloas on there is no header, and nothing is said of proposer, parent and state.
 */
export const arrivalEvent = (sender: Sender, chain: ChainParameters, arrival: ColumnArrival): XatuEvent => {
  const { arrivalMs, at, blobs, blockRoot, bytes, column, header, messageId, peerId, slot, topic } = arrival
  const own = periodsOf(chain, slot)
  const wallclock = periodsOf(chain, Math.max(0, slotAt(chain, at)))
  return {
    event: { name: "LIBP2P_TRACE_GOSSIPSUB_DATA_COLUMN_SIDECAR", date_time: Math.floor(at), id: randomUUID() },
    meta: {
      client: {
        ...sender,
        libp2p_trace_gossipsub_data_column_sidecar: {
          epoch: own.epoch,
          slot: own.slot,
          wallclock_epoch: wallclock.epoch,
          wallclock_slot: wallclock.slot,
          propagation: { slot_start_diff: Math.max(0, Math.floor(arrivalMs)) },
          metadata: { peer_id: peerId },
          topic,
          message_size: bytes,
          message_id: messageId.replace(/^0x/, "")
        }
      }
    },
    libp2p_trace_gossipsub_data_column_sidecar: {
      index: column,
      slot,
      ...(header === null
        ? {}
        : { proposer_index: header.proposerIndex, state_root: header.stateRoot, parent_root: header.parentRoot }),
      kzg_commitments_count: blobs,
      block_root: blockRoot
    }
  }
}
