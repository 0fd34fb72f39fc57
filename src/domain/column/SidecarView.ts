import { Either } from "effect"
import { bytesPerCell, type ForkName } from "../network/Chain.ts"
import { headerBytes } from "../network/HeaderRoot.ts"
import type { Slot } from "../Primitives.ts"
import {
  bytesPerCommitment,
  bytesPerProof,
  fuluFixedBytes,
  gloasFixedBytes,
  headerStart,
  MalformedSidecar,
  maxCells,
  peekPlace,
  signatureBytes
} from "./Sidecar.ts"

/** The parts of a DataColumnSidecar as views into the bytes that came; nothing is copied. */
export type SidecarView = FuluView | GloasView

interface Cells {
  /** Any number up to 2^53. */
  readonly index: number
  readonly slot: Slot
  /** Bytes, a multiple of those of a cell. */
  readonly cells: Uint8Array
  /** Bytes, 48 a proof. */
  readonly proofs: Uint8Array
}

export interface FuluView extends Cells {
  readonly _tag: "Fulu"
  /** The BeaconBlockHeader, 112 bytes, without its signature. */
  readonly header: Uint8Array
  /** Bytes, 48 a commitment. */
  readonly commitments: Uint8Array
  /** 32 bytes a node, from the commitments upwards. */
  readonly inclusionProof: Uint8Array
}

/** From Gloas on a sidecar names its block, which has the commitments (gloas/p2p-interface.md). */
interface GloasView extends Cells {
  readonly _tag: "Gloas"
  /** 32 bytes. */
  readonly blockRoot: Uint8Array
}

/** Finds the parts of a sidecar. Whatever is no SSZ of its type gives the typed error. */
export const viewSidecar = (fork: ForkName, ssz: Uint8Array): Either.Either<SidecarView, MalformedSidecar> =>
  Either.flatMap(peekPlace(fork, ssz), ({ index, slot }): Either.Either<SidecarView, MalformedSidecar> => {
    const view = new DataView(ssz.buffer, ssz.byteOffset, ssz.byteLength)
    if (fork === "gloas") {
      return Either.map(
        listsOf(ssz, [
          { name: "column", start: gloasFixedBytes, size: bytesPerCell },
          { name: "kzg_proofs", start: view.getUint32(12, true), size: bytesPerProof }
        ]),
        ([cells = nothing, proofs = nothing]) => ({
          _tag: "Gloas" as const,
          index,
          slot,
          cells,
          proofs,
          blockRoot: ssz.subarray(24, gloasFixedBytes)
        })
      )
    }
    return Either.map(
      listsOf(ssz, [
        { name: "column", start: fuluFixedBytes, size: bytesPerCell },
        { name: "kzg_commitments", start: view.getUint32(12, true), size: bytesPerCommitment },
        { name: "kzg_proofs", start: view.getUint32(16, true), size: bytesPerProof }
      ]),
      ([cells = nothing, commitments = nothing, proofs = nothing]) => ({
        _tag: "Fulu" as const,
        index,
        slot,
        cells,
        commitments,
        proofs,
        header: ssz.subarray(headerStart, headerStart + headerBytes),
        inclusionProof: ssz.subarray(headerStart + headerBytes + signatureBytes, fuluFixedBytes)
      })
    )
  })

interface ListPlace {
  readonly name: string
  readonly start: number
  /** Bytes of an element. */
  readonly size: number
}

/** The bytes of the lists, which fill what is left behind the fixed part in their order. */
const listsOf = (
  ssz: Uint8Array,
  places: ReadonlyArray<ListPlace>
): Either.Either<ReadonlyArray<Uint8Array>, MalformedSidecar> => {
  const lists: Array<Uint8Array> = []
  for (const [at, { name, size, start }] of places.entries()) {
    const end = places[at + 1]?.start ?? ssz.length
    const bytes = end - start
    if (bytes < 0 || end > ssz.length) {
      return malformed(`its ${name} goes from byte ${start} to ${end} of ${ssz.length}`)
    }
    if (bytes % size !== 0) return malformed(`its ${name} has ${bytes} bytes, no multiple of ${size}`)
    if (bytes > size * maxCells) return malformed(`its ${name} has ${bytes / size} elements, allowed are ${maxCells}`)
    lists.push(ssz.subarray(start, end))
  }
  return Either.right(lists)
}

const malformed = (reason: string) => Either.left(new MalformedSidecar({ reason }))
const nothing = new Uint8Array(0)
