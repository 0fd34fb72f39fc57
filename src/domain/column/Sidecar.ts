import { type fulu, type gloas, ssz as types } from "@lodestar/types"
import { Either, Option, Schema } from "effect"
import { toHex } from "../Bytes.ts"
import { bytesPerCell, type ForkName } from "../network/Chain.ts"
import { headerBytes, headerRoot } from "../network/HeaderRoot.ts"
import { messageOf } from "../Text.ts"
import type { Root, Slot } from "../Primitives.ts"

/** Bytes that are no data column sidecar; `reason` says why. */
export class MalformedSidecar extends Schema.TaggedError<MalformedSidecar>()("MalformedSidecar", {
  reason: Schema.String
}) {
  override get message(): string {
    return `not a data column sidecar: ${this.reason}`
  }
}

/** A decoded DataColumnSidecar (fulu/das-core.md; gloas/p2p-interface.md, which leaves commitments to the block). */
export type Sidecar =
  | { readonly _tag: "Fulu"; readonly value: fulu.DataColumnSidecar }
  | { readonly _tag: "Gloas"; readonly value: gloas.DataColumnSidecar }

/** What a sidecar says that it is. Nothing of it is checked against anything. */
export interface SidecarLabel {
  /** The column; any number up to 2^53. */
  readonly index: number
  readonly slot: Slot
  /** Fulu: the root of its header, Gloas: its beacon_block_root. */
  readonly blockRoot: Root
}

/**
 * Reads only what stands at fixed places, without decoding a cell: enough to tell which combination the sidecar is
 * for. Hostile bytes give the typed error.
 */
export const peekSidecar = (fork: ForkName, ssz: Uint8Array): Either.Either<SidecarLabel, MalformedSidecar> => {
  const view = new DataView(ssz.buffer, ssz.byteOffset, ssz.byteLength)
  switch (fork) {
    case "fulu":
      return Either.gen(function* () {
        yield* checkLayout(view, fuluFixedBytes, fuluBytesPerCell)
        const index = yield* readNumber(view, "index", 0)
        const slot = yield* readNumber(view, "slot", headerStart)
        return { index, slot, blockRoot: toHex(headerRoot(ssz.subarray(headerStart, headerStart + headerBytes))) }
      })
    case "gloas":
      return Either.gen(function* () {
        yield* checkLayout(view, gloasFixedBytes, gloasBytesPerCell)
        const index = yield* readNumber(view, "index", 0)
        const slot = yield* readNumber(view, "slot", 16)
        return { index, slot, blockRoot: toHex(ssz.subarray(24, 56)) }
      })
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

/** Decodes a whole sidecar. Succeeds only where `peekSidecar` does; hostile bytes give the typed error. */
export const decodeSidecar = (fork: ForkName, ssz: Uint8Array): Either.Either<Sidecar, MalformedSidecar> =>
  Either.flatMap(peekSidecar(fork, ssz), () =>
    Either.try({
      try: (): Sidecar =>
        fork === "gloas"
          ? { _tag: "Gloas", value: types.gloas.DataColumnSidecar.deserialize(ssz) }
          : { _tag: "Fulu", value: types.fulu.DataColumnSidecar.deserialize(ssz) },
      catch: (error) => new MalformedSidecar({ reason: messageOf(error) })
    })
  )

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
const maxCells = 4096
/** Bytes of a sidecar without cells, and so the value of its first offset. */
const fuluFixedBytes = 356
const gloasFixedBytes = 56
const headerStart = 20
const signatureBytes = 96
const bytesPerProof = 48
const gloasBytesPerCell = bytesPerCell + bytesPerProof
const fuluBytesPerCell = gloasBytesPerCell + 48

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
  const value = view.getBigUint64(offset, true)
  return value <= Number.MAX_SAFE_INTEGER
    ? Either.right(Number(value))
    : Either.left(new MalformedSidecar({ reason: `its ${name} is ${value}, which is above 2^53` }))
}
