import { Schema } from "effect"

/**
 * The events that are sent, as plain values: wrapper types and timestamps are text and numbers. Encoding checks them and
 * gives what protobufjs writes; what is at its default is left out of the bytes, as canonical protobuf has it.
 */

const whole = (most: number) => Schema.Int.pipe(Schema.between(0, most))

const wrappedNumber = (value: Schema.Schema<number>) =>
  Schema.transform(Schema.Struct({ value: Schema.optionalWith(Schema.Number, { exact: true }) }), value, {
    strict: true,
    decode: ({ value }) => value ?? 0,
    encode: (value) => (value === 0 ? {} : { value })
  })

const wrappedText = <A>(value: Schema.Schema<A, string>) =>
  Schema.transform(Schema.Struct({ value: Schema.optionalWith(Schema.String, { exact: true }) }), value, {
    strict: true,
    decode: ({ value }) => value ?? "",
    encode: (value) => (value === "" ? {} : { value })
  })

const optional = <A, I>(value: Schema.Schema<A, I>) => Schema.optionalWith(value, { exact: true })

const UInt32 = wrappedNumber(whole(2 ** 32 - 1))
const UInt64 = wrappedNumber(whole(Number.MAX_SAFE_INTEGER))
const Int32 = wrappedNumber(whole(2 ** 31 - 1))
const Text = wrappedText(Schema.String)

/** Unix milliseconds. */
const Timestamp = Schema.transform(
  Schema.Struct({ seconds: optional(Schema.Number), nanos: optional(Schema.Number) }),
  whole(Number.MAX_SAFE_INTEGER),
  {
    strict: true,
    decode: ({ nanos, seconds }) => (seconds ?? 0) * 1000 + Math.floor((nanos ?? 0) / 1e6),
    encode: (unixMs) => ({
      ...(unixMs < 1000 ? {} : { seconds: Math.floor(unixMs / 1000) }),
      ...(unixMs % 1000 === 0 ? {} : { nanos: (unixMs % 1000) * 1e6 })
    })
  }
)

/** The server refuses a batch in which one event has no peer; it makes its key for the peer of this text. */
const PeerId = wrappedText(Schema.String.pipe(Schema.pattern(/^[1-9A-HJ-NP-Za-km-z]{1,128}$/)))

const Root = wrappedText(Schema.String.pipe(Schema.pattern(/^0x[0-9a-f]{64}$/)))

/** The three words that readers of the table know. */
export const ProbeResult = Schema.Literal("success", "missing", "failure")
export type ProbeResult = typeof ProbeResult.Type

const EventName = Schema.transformLiterals(
  [38, "LIBP2P_TRACE_CONNECTED"],
  [47, "LIBP2P_TRACE_HANDLE_METADATA"],
  [48, "LIBP2P_TRACE_HANDLE_STATUS"],
  [76, "LIBP2P_TRACE_GOSSIPSUB_DATA_COLUMN_SIDECAR"],
  [77, "LIBP2P_TRACE_SYNTHETIC_HEARTBEAT"],
  [78, "LIBP2P_TRACE_RPC_DATA_COLUMN_CUSTODY_PROBE"]
)

/** A slot or an epoch, and when it starts. */
const Period = Schema.Struct({ number: UInt64, start_date_time: Timestamp })
const Metadata = Schema.Struct({ peer_id: PeerId })
const OnePeer = Schema.Struct({ metadata: Metadata })

/** `*_date_time` are Unix seconds. */
const CustodyProbe = Schema.Struct({
  job_start_timestamp: optional(Timestamp),
  peer_id: PeerId,
  slot: UInt32,
  slot_start_date_time: optional(UInt64),
  epoch: UInt32,
  epoch_start_date_time: optional(UInt64),
  wallclock_request_slot: optional(UInt32),
  wallclock_request_slot_start_date_time: optional(UInt64),
  wallclock_request_epoch: optional(UInt32),
  wallclock_request_epoch_start_date_time: optional(UInt64),
  column_index: wrappedNumber(whole(127)),
  /** Cells that came; 0 when nothing did. */
  column_rows_count: wrappedNumber(whole(2 ** 16 - 1)),
  beacon_block_root: Root,
  result: wrappedText(Schema.compose(Schema.String, ProbeResult, { strict: false })),
  response_time_ms: Int32,
  error: optional(Text)
})

/** Proposer and roots are those of the header, which only sidecars before Gloas have. */
const GossipedColumn = Schema.Struct({
  index: wrappedNumber(whole(127)),
  slot: UInt64,
  proposer_index: optional(UInt64),
  state_root: optional(Root),
  parent_root: optional(Root),
  kzg_commitments_count: UInt32,
  block_root: Root
})

const AdditionalGossipedColumn = Schema.Struct({
  epoch: Period,
  slot: Period,
  wallclock_epoch: Period,
  wallclock_slot: Period,
  /** Milliseconds. */
  propagation: Schema.Struct({ slot_start_diff: UInt64 }),
  metadata: Metadata,
  topic: Text,
  /** Bytes, decompressed. */
  message_size: UInt32,
  /** Hexadecimal, without `0x`. */
  message_id: Text
})

const Connected = Schema.Struct({
  remote_peer: PeerId,
  remote_maddrs: optional(Text),
  agent_version: optional(Text),
  opened: Timestamp
})

const HandleMetadata = Schema.Struct({
  peer_id: PeerId,
  protocol_id: optional(Text),
  metadata: Schema.Struct({ seq_number: UInt64, custody_group_count: optional(UInt64) }),
  direction: Text
})

const HandleStatus = Schema.Struct({
  peer_id: PeerId,
  protocol_id: Text,
  response: Schema.Struct({ fork_digest: Text, head_slot: UInt64, earliest_available_slot: optional(UInt64) }),
  direction: Text
})

const SyntheticHeartbeat = Schema.Struct({
  timestamp: Timestamp,
  remote_peer: PeerId,
  remote_maddrs: optional(Text),
  agent_version: optional(Text),
  connection_age_ns: wrappedNumber(whole(Number.MAX_SAFE_INTEGER))
})

const named = Schema.String.pipe(Schema.minLength(1))

/** Who sends; the same for every event of a run. */
export const Sender = Schema.Struct({
  name: named,
  version: Schema.String,
  /** Of this run. */
  id: Schema.String,
  implementation: Schema.String,
  os: Schema.String,
  ethereum: Schema.Struct({
    /** The server makes its key for a peer of this name too. */
    network: Schema.Struct({ name: named, id: optional(whole(Number.MAX_SAFE_INTEGER)) }),
    consensus: optional(Schema.Struct({ implementation: Schema.String, version: Schema.String }))
  })
})
export type Sender = typeof Sender.Type

/** One event: its name, and the data and the additional data that belong to the name. */
export const XatuEvent = Schema.Struct({
  event: Schema.Struct({
    name: EventName,
    date_time: Timestamp,
    /** UUID. */
    id: Schema.UUID
  }),
  meta: Schema.Struct({
    client: Schema.Struct({
      ...Sender.fields,
      libp2p_trace_connected: optional(OnePeer),
      libp2p_trace_handle_metadata: optional(OnePeer),
      libp2p_trace_handle_status: optional(OnePeer),
      libp2p_trace_gossipsub_data_column_sidecar: optional(AdditionalGossipedColumn),
      libp2p_trace_synthetic_heartbeat: optional(OnePeer),
      libp2p_trace_rpc_data_column_custody_probe: optional(
        Schema.Struct({
          metadata: Metadata,
          epoch: Period,
          slot: Period,
          wallclock_epoch: Period,
          wallclock_slot: Period
        })
      )
    })
  }),
  libp2p_trace_connected: optional(Connected),
  libp2p_trace_handle_metadata: optional(HandleMetadata),
  libp2p_trace_handle_status: optional(HandleStatus),
  libp2p_trace_gossipsub_data_column_sidecar: optional(GossipedColumn),
  libp2p_trace_synthetic_heartbeat: optional(SyntheticHeartbeat),
  libp2p_trace_rpc_data_column_custody_probe: optional(CustodyProbe)
})
export type XatuEvent = typeof XatuEvent.Type

/** What the server answers. */
export const CreateEventsResponse = Schema.Struct({ events_ingested: optional(UInt64) })
