import protobuf from "protobufjs"

/**
 * What the server of the tests reads: written from the table in which Xatu's fields are listed, not from the descriptors
 * of the monitor, so that a mistake in those shows.
 */
const wellKnown = `
syntax = "proto3";
package google.protobuf;
message Timestamp { int64 seconds = 1; int32 nanos = 2; }
message StringValue { string value = 1; }
message BoolValue { bool value = 1; }
message FloatValue { float value = 1; }
message UInt32Value { uint32 value = 1; }
message UInt64Value { uint64 value = 1; }
message Int64Value { int64 value = 1; }
`

const xatu = `
syntax = "proto3";
package xatu;
message CreateEventsRequest { repeated DecoratedEvent events = 1; }
message CreateEventsResponse { google.protobuf.UInt64Value events_ingested = 1; }
message DecoratedEvent {
  Event event = 1;
  Meta meta = 2;
  oneof data {
    libp2p.Connected libp2p_trace_connected = 45;
    libp2p.HandleMetadata libp2p_trace_handle_metadata = 47;
    libp2p.HandleStatus libp2p_trace_handle_status = 48;
    libp2p.gossipsub.eth.DataColumnSidecar libp2p_trace_gossipsub_data_column_sidecar = 77;
    libp2p.SyntheticHeartbeat libp2p_trace_synthetic_heartbeat = 78;
    libp2p.DataColumnCustodyProbe libp2p_trace_rpc_data_column_custody_probe = 200;
  }
}
message Event {
  enum Name {
    UNKNOWN = 0;
    LIBP2P_TRACE_CONNECTED = 38;
    LIBP2P_TRACE_HANDLE_METADATA = 47;
    LIBP2P_TRACE_HANDLE_STATUS = 48;
    LIBP2P_TRACE_GOSSIPSUB_DATA_COLUMN_SIDECAR = 76;
    LIBP2P_TRACE_SYNTHETIC_HEARTBEAT = 77;
    LIBP2P_TRACE_RPC_DATA_COLUMN_CUSTODY_PROBE = 78;
  }
  Name name = 1;
  google.protobuf.Timestamp date_time = 2;
  string id = 3;
}
message Meta { ClientMeta client = 1; }
message EpochV2 { google.protobuf.UInt64Value number = 1; google.protobuf.Timestamp start_date_time = 2; }
message SlotV2 { google.protobuf.UInt64Value number = 1; google.protobuf.Timestamp start_date_time = 2; }
message PropagationV2 { google.protobuf.UInt64Value slot_start_diff = 1; }
message ClientMeta {
  message AdditionalDataColumnSidecar {
    EpochV2 epoch = 1;
    SlotV2 slot = 2;
    EpochV2 wallclock_epoch = 3;
    SlotV2 wallclock_slot = 4;
    PropagationV2 propagation = 5;
    libp2p.TraceEventMetadata metadata = 6;
    google.protobuf.StringValue topic = 7;
    google.protobuf.UInt32Value message_size = 8;
    google.protobuf.StringValue message_id = 9;
  }
  message Ethereum {
    message Network { string name = 1; uint64 id = 2; }
    message Consensus { string implementation = 1; string version = 2; }
    Network network = 1;
    Consensus consensus = 3;
  }
  message OnlyMetadata { libp2p.TraceEventMetadata metadata = 1; }
  message AdditionalCustodyProbe {
    libp2p.TraceEventMetadata metadata = 1;
    EpochV2 epoch = 2;
    SlotV2 slot = 3;
    EpochV2 wallclock_epoch = 4;
    SlotV2 wallclock_slot = 5;
  }
  string name = 1;
  string version = 2;
  string id = 3;
  string implementation = 4;
  string os = 5;
  uint64 clock_drift = 6;
  Ethereum ethereum = 8;
  map<string, string> labels = 9;
  int32 module_name = 63;
  string preset_name = 64;
  oneof AdditionalData {
    OnlyMetadata libp2p_trace_connected = 53;
    OnlyMetadata libp2p_trace_handle_metadata = 55;
    OnlyMetadata libp2p_trace_handle_status = 56;
    AdditionalDataColumnSidecar libp2p_trace_gossipsub_data_column_sidecar = 86;
    OnlyMetadata libp2p_trace_synthetic_heartbeat = 87;
    AdditionalCustodyProbe libp2p_trace_rpc_data_column_custody_probe = 88;
  }
}
`

const libp2p = `
syntax = "proto3";
package xatu.libp2p;
message TraceEventMetadata { google.protobuf.StringValue peer_id = 1; }
message Connected {
  google.protobuf.StringValue remote_peer = 1;
  google.protobuf.StringValue remote_maddrs = 2;
  google.protobuf.StringValue agent_version = 3;
  google.protobuf.StringValue direction = 4;
  google.protobuf.Timestamp opened = 5;
  google.protobuf.BoolValue transient = 6;
  google.protobuf.BoolValue limited = 7;
}
message Status {
  google.protobuf.StringValue fork_digest = 1;
  google.protobuf.StringValue finalized_root = 2;
  google.protobuf.UInt64Value finalized_epoch = 3;
  google.protobuf.StringValue head_root = 4;
  google.protobuf.UInt64Value head_slot = 5;
  google.protobuf.UInt64Value earliest_available_slot = 6;
}
message Metadata {
  google.protobuf.UInt64Value seq_number = 1;
  google.protobuf.StringValue attnets = 2;
  google.protobuf.StringValue syncnets = 3;
  google.protobuf.UInt64Value custody_group_count = 4;
}
message HandleStatus {
  google.protobuf.StringValue peer_id = 1;
  google.protobuf.StringValue protocol_id = 2;
  google.protobuf.StringValue error = 3;
  google.protobuf.FloatValue latency = 4;
  Status request = 5;
  Status response = 6;
  google.protobuf.StringValue direction = 7;
}
message HandleMetadata {
  google.protobuf.StringValue peer_id = 1;
  google.protobuf.StringValue protocol_id = 2;
  google.protobuf.StringValue error = 3;
  google.protobuf.FloatValue latency = 4;
  Metadata metadata = 5;
  google.protobuf.StringValue direction = 6;
}
message SyntheticHeartbeat {
  google.protobuf.Timestamp timestamp = 1;
  google.protobuf.StringValue remote_peer = 2;
  google.protobuf.StringValue remote_maddrs = 3;
  google.protobuf.Int64Value latency_ms = 4;
  google.protobuf.StringValue agent_version = 5;
  google.protobuf.UInt32Value direction = 6;
  repeated string protocols = 7;
  google.protobuf.Int64Value connection_age_ns = 8;
}
message DataColumnCustodyProbe {
  google.protobuf.Timestamp job_start_timestamp = 1;
  google.protobuf.StringValue peer_id = 2;
  google.protobuf.UInt32Value slot = 3;
  google.protobuf.UInt64Value slot_start_date_time = 4;
  google.protobuf.UInt32Value epoch = 5;
  google.protobuf.UInt64Value epoch_start_date_time = 6;
  google.protobuf.UInt32Value wallclock_request_slot = 7;
  google.protobuf.UInt64Value wallclock_request_slot_start_date_time = 8;
  google.protobuf.UInt32Value wallclock_request_epoch = 9;
  google.protobuf.UInt64Value wallclock_request_epoch_start_date_time = 10;
  google.protobuf.UInt32Value column_index = 11;
  google.protobuf.UInt32Value column_rows_count = 12;
  google.protobuf.StringValue beacon_block_root = 13;
  google.protobuf.StringValue result = 14;
  google.protobuf.Int64Value response_time_ms = 15;
  google.protobuf.StringValue error = 16;
}
`

const gossipsub = `
syntax = "proto3";
package xatu.libp2p.gossipsub.eth;
message DataColumnSidecar {
  google.protobuf.UInt64Value index = 1;
  google.protobuf.UInt64Value slot = 2;
  google.protobuf.UInt64Value proposer_index = 3;
  google.protobuf.StringValue state_root = 4;
  google.protobuf.StringValue parent_root = 5;
  google.protobuf.UInt32Value kzg_commitments_count = 6;
  google.protobuf.StringValue block_root = 7;
}
`

const root = new protobuf.Root()
for (const text of [wellKnown, libp2p, gossipsub, xatu]) protobuf.parse(text, root, { keepCase: true })
root.resolveAll()

const request = root.lookupType("xatu.CreateEventsRequest")
const response = root.lookupType("xatu.CreateEventsResponse")

/** A message as plain values, with what is absent left out; enums by name and 64-bit numbers as text. */
export const readRequest = (bytes: Uint8Array): unknown =>
  request.toObject(request.decode(bytes), { longs: String, enums: String })

export const writeResponse = (ingested: number): Uint8Array =>
  response.encode(response.fromObject({ events_ingested: { value: ingested } })).finish()
