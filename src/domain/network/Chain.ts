import type { Epoch, Slot } from "../Primitives.ts"

/** Time, forks and limits of one network (consensus-specs, fulu/beacon-chain.md and fulu/p2p-interface.md). */

/** The forks a monitor meets, oldest first. */
export const forkNames = ["phase0", "altair", "bellatrix", "capella", "deneb", "electra", "fulu", "gloas"] as const
export type ForkName = (typeof forkNames)[number]

export interface Fork {
  readonly name: ForkName
  /** 4 bytes. */
  readonly version: Uint8Array
  readonly epoch: Epoch
}

export interface BlobParameters {
  readonly epoch: Epoch
  readonly maxBlobsPerBlock: number
}

export interface ChainParameters {
  /** `mainnet`, `hoodi`, … or the name that the network gives itself. */
  readonly network: string
  /** Unix seconds of slot 0. */
  readonly genesisTime: number
  /** 32 bytes. */
  readonly genesisValidatorsRoot: Uint8Array
  readonly slotDurationMs: number
  readonly slotsPerEpoch: number
  /** Ascending by epoch; forks that never come have the epoch `Infinity`. */
  readonly forks: ReadonlyArray<Fork>
  /** BLOB_SCHEDULE, ascending by epoch. */
  readonly blobSchedule: ReadonlyArray<BlobParameters>
  /** MAX_BLOBS_PER_BLOCK_ELECTRA: the limit from Electra until the first entry of the schedule. */
  readonly maxBlobsPerBlockElectra: number
  /** MIN_EPOCHS_FOR_DATA_COLUMN_SIDECARS_REQUESTS: how long columns must be served. */
  readonly retentionEpochs: number
}

/** NUMBER_OF_COLUMNS, and CELLS_PER_EXT_BLOB. */
export const numberOfColumns = 128
/** Distinct columns, and cells of a row, from which all others can be computed. */
export const columnsToReconstruct = numberOfColumns / 2
/** NUMBER_OF_CUSTODY_GROUPS. */
export const numberOfCustodyGroups = 128
/** CUSTODY_REQUIREMENT: what every node keeps, and what is assumed of one that does not say. */
export const custodyRequirement = 4
/** MAX_REQUEST_BLOCKS_DENEB: slots or roots in one request. */
export const maxRequestBlocks = 128
/** 128 blocks × 128 columns: sidecars in one response. */
export const maxRequestDataColumnSidecars = 16384
/** BYTES_PER_CELL. */
export const bytesPerCell = 2048

/** What turns slots into moments and back. */
export type SlotClock = Pick<ChainParameters, "genesisTime" | "slotDurationMs">

/** The slot that is running at `unixMs`; negative before genesis. */
export const slotAt = (chain: SlotClock, unixMs: number): Slot =>
  Math.floor((unixMs - chain.genesisTime * 1000) / chain.slotDurationMs)

/** Unix milliseconds at which `slot` starts. */
export const slotStart = (chain: SlotClock, slot: Slot): number =>
  chain.genesisTime * 1000 + slot * chain.slotDurationMs

export const epochOf = (chain: ChainParameters, slot: Slot): Epoch => Math.floor(slot / chain.slotsPerEpoch)

/** The first slot of `epoch`. */
export const epochStart = (chain: ChainParameters, epoch: Epoch): Slot => epoch * chain.slotsPerEpoch

/** The epoch at which `name` starts; `Infinity` if it is not scheduled. */
export const forkEpoch = (chain: ChainParameters, name: ForkName): Epoch =>
  chain.forks.find((fork) => fork.name === name)?.epoch ?? Infinity

/** The fork that is in force at `epoch`. */
export const forkAt = (chain: ChainParameters, epoch: Epoch): Fork => {
  const fork = chain.forks.findLast((fork) => fork.epoch <= epoch) ?? chain.forks[0]
  if (fork === undefined) throw new Error("a network without forks")
  return fork
}

/** get_blob_parameters (fulu/beacon-chain.md): the limit in force at `epoch`. */
export const blobParametersAt = (chain: ChainParameters, epoch: Epoch): BlobParameters =>
  chain.blobSchedule.findLast((entry) => entry.epoch <= epoch) ?? {
    epoch: forkEpoch(chain, "electra"),
    maxBlobsPerBlock: chain.maxBlobsPerBlockElectra
  }

/** A range of slots, both ends included; empty when `start > end`. */
export interface SlotRange {
  readonly start: Slot
  readonly end: Slot
}

/**
 * The slots whose columns every node must serve at `currentSlot` (DataColumnSidecarsByRange, "serve range"): from
 * MIN_EPOCHS_FOR_DATA_COLUMN_SIDECARS_REQUESTS back, but not before Fulu.
 */
export const serveRange = (chain: ChainParameters, currentSlot: Slot): SlotRange => ({
  start: epochStart(chain, Math.max(epochOf(chain, currentSlot) - chain.retentionEpochs, forkEpoch(chain, "fulu"), 0)),
  end: currentSlot
})

/** The first slot of the serve range also to a peer whose clock is an epoch ahead when it prunes. */
export const surelyServedFrom = (chain: ChainParameters, currentSlot: Slot): Slot =>
  serveRange(chain, currentSlot + chain.slotsPerEpoch).start

/** Milliseconds by which clocks are commonly apart: a head may be early by that. */
export const tolerableClockMs = 3_000
