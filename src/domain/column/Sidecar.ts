import { Either, Option, Schema } from "effect"
import { toHex } from "../Bytes.ts"
import { bytesPerCell, type ForkName } from "../network/Chain.ts"
import { headerBytes, headerRoot } from "../network/HeaderRoot.ts"
import type { Root, Slot } from "../Primitives.ts"

/** Bytes that are no data column sidecar; `reason` says why. */
export class MalformedSidecar extends Schema.TaggedError<MalformedSidecar>()("MalformedSidecar", {
  reason: Schema.String
}) {
  override get message(): string {
    return `not a data column sidecar: ${this.reason}`
  }
}

/** What a sidecar says that it is. Nothing of it is checked against anything. */
export interface SidecarLabel {
  /** The column; any number up to 2^53. */
  readonly index: number
  readonly slot: Slot
  /** Fulu: the root of its header, Gloas: its beacon_block_root. */
  readonly blockRoot: Root
}

/**
 * Reads only what stands at fixed places, without looking at a cell: enough to tell which combination the sidecar is
 * for. Hostile bytes give the typed error.
 */
export const peekSidecar = (fork: ForkName, ssz: Uint8Array): Either.Either<SidecarLabel, MalformedSidecar> =>
  Either.map(peekPlace(fork, ssz), (place) => ({
    ...place,
    blockRoot: toHex(
      fork === "gloas" ? ssz.subarray(24, 56) : headerRoot(ssz.subarray(headerStart, headerStart + headerBytes))
    )
  }))

/** The same without its block, and without hashing. */
export const peekPlace = (
  fork: ForkName,
  ssz: Uint8Array
): Either.Either<Omit<SidecarLabel, "blockRoot">, MalformedSidecar> => {
  const view = new DataView(ssz.buffer, ssz.byteOffset, ssz.byteLength)
  switch (fork) {
    case "fulu":
      return placeIn(view, { fixed: fuluFixedBytes, perCell: fuluBytesPerCell, slotAt: headerStart })
    case "gloas":
      return placeIn(view, { fixed: gloasFixedBytes, perCell: gloasBytesPerCell, slotAt: 16 })
    default:
      return Either.left(new MalformedSidecar({ reason: `there are no data columns in ${fork}` }))
  }
}

/** The same of a sidecar of any fork that has columns: their first offsets tell them apart. */
export const peekAnySidecar = (ssz: Uint8Array): Either.Either<SidecarLabel, MalformedSidecar> => {
  const isGloas = ssz.length >= 12 && new DataView(ssz.buffer, ssz.byteOffset).getUint32(8, true) === gloasFixedBytes
  return peekSidecar(isGloas ? "gloas" : "fulu", ssz)
}

/**
 * The 96 bytes of the signature of its header, unchecked; none of a fork whose sidecars have no header. Of a sidecar that
 * `peekSidecar` reads.
 */
export const headerSignature = (fork: ForkName, ssz: Uint8Array): Option.Option<Uint8Array> =>
  fork === "fulu"
    ? Option.some(ssz.subarray(headerStart + headerBytes, headerStart + headerBytes + signatureBytes))
    : Option.none()

/** Bytes (SSZ) of a sidecar of a block with so many blobs; 0 for a fork without columns. */
export const sidecarBytes = (fork: ForkName, blobs: number): number => {
  switch (fork) {
    case "fulu":
      return fuluFixedBytes + fuluBytesPerCell * blobs
    case "gloas":
      return gloasFixedBytes + gloasBytesPerCell * blobs
    default:
      return 0
  }
}

/** MAX_BLOB_COMMITMENTS_PER_BLOCK: the limit of the SSZ lists. */
export const maxCells = 4096
/** Bytes of a sidecar without cells, and so the value of its first offset. */
export const fuluFixedBytes = 356
export const gloasFixedBytes = 56
/** Where the signed header of a Fulu sidecar begins. */
export const headerStart = 20
export const signatureBytes = 96
export const bytesPerProof = 48
export const bytesPerCommitment = 48
const gloasBytesPerCell = bytesPerCell + bytesPerProof
const fuluBytesPerCell = gloasBytesPerCell + bytesPerCommitment

interface Layout {
  readonly fixed: number
  readonly perCell: number
  readonly slotAt: number
}

/** Without a generator: it is run for every chunk that comes. */
const placeIn = (
  view: DataView,
  { fixed, perCell, slotAt }: Layout
): Either.Either<Omit<SidecarLabel, "blockRoot">, MalformedSidecar> => {
  const layout = checkLayout(view, fixed, perCell)
  if (Either.isLeft(layout)) return Either.left(layout.left)
  const index = readNumber(view, "index", 0)
  if (Either.isLeft(index)) return Either.left(index.left)
  return Either.map(readNumber(view, "slot", slotAt), (slot) => ({ index: index.right, slot }))
}

/** Size within the type's bounds, and the first offset where the fixed part ends. */
const checkLayout = (view: DataView, fixed: number, perCell: number): Either.Either<void, MalformedSidecar> => {
  const max = fixed + perCell * maxCells
  if (view.byteLength < fixed || view.byteLength > max) {
    return Either.left(new MalformedSidecar({ reason: `it has ${view.byteLength} bytes, allowed is ${fixed}..${max}` }))
  }
  const offset = view.getUint32(8, true)
  return offset === fixed
    ? Either.void
    : Either.left(new MalformedSidecar({ reason: `its first offset is ${offset}, not ${fixed}` }))
}

const readNumber = (view: DataView, name: string, offset: number): Either.Either<number, MalformedSidecar> => {
  const high = view.getUint32(offset + 4, true)
  return high < 2 ** 21
    ? Either.right(high * 2 ** 32 + view.getUint32(offset, true))
    : Either.left(
        new MalformedSidecar({ reason: `its ${name} is ${view.getBigUint64(offset, true)}, which is above 2^53` })
      )
}
