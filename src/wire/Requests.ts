import { ListCompositeType } from "@chainsafe/ssz"
import { ssz } from "@lodestar/types"
import { Either } from "effect"
import { fromHex, toHex } from "../domain/Bytes.ts"
import type { Root } from "../domain/Primitives.ts"
import { maxRequestBlocks } from "../domain/network/Chain.ts"
import type { AnswerBounds, RequestMessage } from "./Message.ts"
import {
  beaconBlocksByRange,
  beaconBlocksByRoot,
  dataColumnSidecarsByRange,
  dataColumnSidecarsByRoot,
  type Protocol
} from "./Protocol.ts"
import { decodeSsz, saturate } from "./Ssz.ts"
import type { WireError } from "./WireError.ts"

/** DataColumnSidecarsByRange v1: `count` slots from `startSlot`. Numbers of 2^53 and more are read as 2^53-1. */
export interface ColumnsByRange {
  readonly startSlot: number
  readonly count: number
  /** At most 128. Some peers answer in this order: ask ascending. */
  readonly columns: ReadonlyArray<number>
}

/** DataColumnsByRootIdentifier: one block of a DataColumnSidecarsByRoot v1 request. */
export interface ColumnsOfBlock {
  readonly blockRoot: Root
  /** At most 128. */
  readonly columns: ReadonlyArray<number>
}

/** BeaconBlocksByRange v2, step 1. */
export interface BlocksByRange {
  readonly startSlot: number
  readonly count: number
}

/** `allowed`: what the blocks that are asked for can have; all that the protocol allows if left out. */
export const columnsByRange = ({ columns, count, startSlot }: ColumnsByRange, allowed?: AnswerBounds): RequestMessage =>
  message(
    dataColumnSidecarsByRange,
    ssz.fulu.DataColumnSidecarsByRangeRequest.serialize({ startSlot, count, columns: [...columns] }),
    allowed
  )

export const decodeColumnsByRange = (bytes: Uint8Array): Either.Either<ColumnsByRange, WireError> =>
  Either.map(decodeSsz(ssz.fulu.DataColumnSidecarsByRangeRequest, bytes), (request) => ({
    startSlot: saturate(request.startSlot),
    count: saturate(request.count),
    columns: request.columns.map(saturate)
  }))

/** At most 128 blocks; `allowed` as by range. */
export const columnsByRoot = (blocks: ReadonlyArray<ColumnsOfBlock>, allowed?: AnswerBounds): RequestMessage =>
  message(
    dataColumnSidecarsByRoot,
    ColumnIdentifiers.serialize(
      blocks.map((block) => ({ blockRoot: fromHex(block.blockRoot), columns: [...block.columns] }))
    ),
    allowed
  )

export const decodeColumnsByRoot = (bytes: Uint8Array): Either.Either<ReadonlyArray<ColumnsOfBlock>, WireError> =>
  Either.map(decodeSsz(ColumnIdentifiers, bytes), (blocks) =>
    blocks.map((block) => ({ blockRoot: toHex(block.blockRoot), columns: block.columns.map(saturate) }))
  )

export const blocksByRange = (request: BlocksByRange): RequestMessage =>
  message(beaconBlocksByRange, ssz.phase0.BeaconBlocksByRangeRequest.serialize({ ...request, step: 1 }))

/** The step is deprecated: whatever it says, it counts as 1. */
export const decodeBlocksByRange = (bytes: Uint8Array): Either.Either<BlocksByRange, WireError> =>
  Either.map(decodeSsz(ssz.phase0.BeaconBlocksByRangeRequest, bytes), (request) => ({
    startSlot: saturate(request.startSlot),
    count: saturate(request.count)
  }))

/** At most 128 roots. */
export const blocksByRoot = (roots: ReadonlyArray<Root>): RequestMessage =>
  message(beaconBlocksByRoot, BlockRoots.serialize(roots.map(fromHex)))

export const decodeBlocksByRoot = (bytes: Uint8Array): Either.Either<ReadonlyArray<Root>, WireError> =>
  Either.map(decodeSsz(BlockRoots, bytes), (roots) => roots.map(toHex))

const ColumnIdentifiers = new ListCompositeType(ssz.fulu.DataColumnsByRootIdentifier, maxRequestBlocks)
const BlockRoots = new ListCompositeType(ssz.Root, maxRequestBlocks)

const message = (protocol: Protocol, body: Uint8Array, allowed?: AnswerBounds): RequestMessage => ({
  protocols: [{ protocol, body }],
  ...(allowed === undefined ? {} : { allowed })
})
