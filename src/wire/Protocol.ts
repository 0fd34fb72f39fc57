/**
 * The req/resp methods of phase0 to Fulu that a custody monitor speaks (phase0/p2p-interface.md, fulu/p2p-interface.md).
 * All sizes are SSZ bytes.
 */
export interface Protocol {
  /** The whole protocol id. */
  readonly id: string
  readonly request: SizeBounds
  readonly response: SizeBounds
  /** Whether success chunks carry a fork digest as context bytes. */
  readonly context: boolean
  /** Success chunks in one response, at most. */
  readonly maxChunks: number
}

export interface SizeBounds {
  readonly min: number
  readonly max: number
}

const protocol = (name: string, version: number, parts: Omit<Protocol, "id">): Protocol => ({
  id: `/eth2/beacon_chain/req/${name}/${version}/ssz_snappy`,
  ...parts
})

const exactly = (bytes: number): SizeBounds => ({ min: bytes, max: bytes })
const single = { context: false, maxChunks: 1 }
/** MAX_PAYLOAD_SIZE. */
export const maxPayloadSize = 10 * 2 ** 20

export const statusV1 = protocol("status", 1, { request: exactly(84), response: exactly(84), ...single })
export const statusV2 = protocol("status", 2, { request: exactly(92), response: exactly(92), ...single })
export const ping = protocol("ping", 1, { request: exactly(8), response: exactly(8), ...single })
export const goodbye = protocol("goodbye", 1, { request: exactly(8), response: exactly(8), ...single })
export const metadataV1 = protocol("metadata", 1, { request: exactly(0), response: exactly(16), ...single })
export const metadataV2 = protocol("metadata", 2, { request: exactly(0), response: exactly(17), ...single })
export const metadataV3 = protocol("metadata", 3, { request: exactly(0), response: exactly(25), ...single })

export const beaconBlocksByRange = protocol("beacon_blocks_by_range", 2, {
  request: exactly(24),
  response: { min: 100, max: maxPayloadSize },
  context: true,
  maxChunks: 128
})
export const beaconBlocksByRoot = protocol("beacon_blocks_by_root", 2, {
  request: { min: 0, max: 32 * 128 },
  response: { min: 100, max: maxPayloadSize },
  context: true,
  maxChunks: 128
})

/** The smallest sidecar is a Gloas one without cells (56 bytes); the largest is bounded by MAX_PAYLOAD_SIZE. */
const sidecar: SizeBounds = { min: 56, max: maxPayloadSize }
export const dataColumnSidecarsByRange = protocol("data_column_sidecars_by_range", 1, {
  request: { min: 20, max: 20 + 8 * 128 },
  response: sidecar,
  context: true,
  maxChunks: 128 * 128
})
export const dataColumnSidecarsByRoot = protocol("data_column_sidecars_by_root", 1, {
  request: { min: 0, max: 128 * (4 + 36 + 8 * 128) },
  response: sidecar,
  context: true,
  maxChunks: 128 * 128
})
