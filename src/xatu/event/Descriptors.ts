import protobuf from "protobufjs/light.js"

/**
 * The part of Xatu's messages that is sent, with its field numbers. A name is that of the `.proto` file; the oneofs
 * `data` and `AdditionalData` are plain optional fields here, of which one is set.
 */
const text = "google.protobuf.StringValue"
const uint32 = "google.protobuf.UInt32Value"
const uint64 = "google.protobuf.UInt64Value"
const int64 = "google.protobuf.Int64Value"
const timestamp = "google.protobuf.Timestamp"

type Fields = Readonly<Record<string, readonly [id: number, type: string, rule?: "repeated"]>>

const message = (fields: Fields): protobuf.IType => ({
  fields: Object.fromEntries(
    Object.entries(fields).map(([name, [id, type, rule]]) => [
      name,
      rule === undefined ? { id, type } : { id, type, rule }
    ])
  )
})

const wrapper = (type: string) => message({ value: [1, type] })
const onePeer = message({ metadata: [1, "TraceEventMetadata"] })
const slotOrEpoch = message({ number: [1, uint64], start_date_time: [2, timestamp] })

const root = protobuf.Root.fromJSON({
  nested: {
    google: {
      nested: {
        protobuf: {
          nested: {
            StringValue: wrapper("string"),
            UInt32Value: wrapper("uint32"),
            UInt64Value: wrapper("uint64"),
            Int64Value: wrapper("int64"),
            Timestamp: message({ seconds: [1, "int64"], nanos: [2, "int32"] })
          }
        }
      }
    },
    xatu: {
      nested: {
        CreateEventsResponse: message({ events_ingested: [1, uint64] }),
        DecoratedEvent: message({
          event: [1, "Event"],
          meta: [2, "Meta"],
          libp2p_trace_connected: [45, "Connected"],
          libp2p_trace_handle_metadata: [47, "HandleMetadata"],
          libp2p_trace_handle_status: [48, "HandleStatus"],
          libp2p_trace_gossipsub_data_column_sidecar: [77, "GossipedColumn"],
          libp2p_trace_synthetic_heartbeat: [78, "SyntheticHeartbeat"],
          libp2p_trace_rpc_data_column_custody_probe: [200, "DataColumnCustodyProbe"]
        }),
        Event: message({ name: [1, "int32"], date_time: [2, timestamp], id: [3, "string"] }),
        Meta: message({ client: [1, "ClientMeta"] }),
        ClientMeta: message({
          name: [1, "string"],
          version: [2, "string"],
          id: [3, "string"],
          implementation: [4, "string"],
          os: [5, "string"],
          ethereum: [8, "Ethereum"],
          libp2p_trace_connected: [53, "OnePeer"],
          libp2p_trace_handle_metadata: [55, "OnePeer"],
          libp2p_trace_handle_status: [56, "OnePeer"],
          libp2p_trace_gossipsub_data_column_sidecar: [86, "AdditionalGossipedColumn"],
          libp2p_trace_synthetic_heartbeat: [87, "OnePeer"],
          libp2p_trace_rpc_data_column_custody_probe: [88, "AdditionalCustodyProbe"]
        }),
        Ethereum: message({ network: [1, "Network"], consensus: [3, "Consensus"] }),
        Network: message({ name: [1, "string"], id: [2, "uint64"] }),
        Consensus: message({ implementation: [1, "string"], version: [2, "string"] }),
        TraceEventMetadata: message({ peer_id: [1, text] }),
        OnePeer: onePeer,
        SlotOrEpoch: slotOrEpoch,
        AdditionalCustodyProbe: message({
          metadata: [1, "TraceEventMetadata"],
          epoch: [2, "SlotOrEpoch"],
          slot: [3, "SlotOrEpoch"],
          wallclock_epoch: [4, "SlotOrEpoch"],
          wallclock_slot: [5, "SlotOrEpoch"]
        }),
        Propagation: message({ slot_start_diff: [1, uint64] }),
        AdditionalGossipedColumn: message({
          epoch: [1, "SlotOrEpoch"],
          slot: [2, "SlotOrEpoch"],
          wallclock_epoch: [3, "SlotOrEpoch"],
          wallclock_slot: [4, "SlotOrEpoch"],
          propagation: [5, "Propagation"],
          metadata: [6, "TraceEventMetadata"],
          topic: [7, text],
          message_size: [8, uint32],
          message_id: [9, text]
        }),
        GossipedColumn: message({
          index: [1, uint64],
          slot: [2, uint64],
          proposer_index: [3, uint64],
          state_root: [4, text],
          parent_root: [5, text],
          kzg_commitments_count: [6, uint32],
          block_root: [7, text]
        }),
        DataColumnCustodyProbe: message({
          job_start_timestamp: [1, timestamp],
          peer_id: [2, text],
          slot: [3, uint32],
          slot_start_date_time: [4, uint64],
          epoch: [5, uint32],
          epoch_start_date_time: [6, uint64],
          wallclock_request_slot: [7, uint32],
          wallclock_request_slot_start_date_time: [8, uint64],
          wallclock_request_epoch: [9, uint32],
          wallclock_request_epoch_start_date_time: [10, uint64],
          column_index: [11, uint32],
          column_rows_count: [12, uint32],
          beacon_block_root: [13, text],
          result: [14, text],
          response_time_ms: [15, int64],
          error: [16, text]
        }),
        Connected: message({
          remote_peer: [1, text],
          remote_maddrs: [2, text],
          agent_version: [3, text],
          opened: [5, timestamp]
        }),
        HandleMetadata: message({
          peer_id: [1, text],
          protocol_id: [2, text],
          metadata: [5, "Metadata"],
          direction: [6, text]
        }),
        Metadata: message({ seq_number: [1, uint64], custody_group_count: [4, uint64] }),
        HandleStatus: message({
          peer_id: [1, text],
          protocol_id: [2, text],
          response: [6, "Status"],
          direction: [7, text]
        }),
        Status: message({ fork_digest: [1, text], head_slot: [5, uint64], earliest_available_slot: [6, uint64] }),
        SyntheticHeartbeat: message({
          timestamp: [1, timestamp],
          remote_peer: [2, text],
          remote_maddrs: [3, text],
          agent_version: [5, text],
          connection_age_ns: [8, int64]
        })
      }
    }
  }
})

export const decoratedEventType = root.lookupType("xatu.DecoratedEvent")
export const createEventsResponseType = root.lookupType("xatu.CreateEventsResponse")
