import kzg from "c-kzg"
import { Effect } from "effect"
import { bytesPerCell, numberOfColumns } from "../../domain/network/Chain.ts"
import { loadKzg } from "../../kzg/Kzg.ts"
import { DevnetError } from "../DevnetError.ts"
import { seeded } from "./Random.ts"

/** A blob as the network sees it: extended to 128 cells, each with its proof. */
interface PoolBlob {
  /** 48 bytes. */
  readonly commitment: Uint8Array
  /** 128 cells of 2048 bytes. */
  readonly cells: ReadonlyArray<Uint8Array>
  /** 128 proofs of 48 bytes. */
  readonly proofs: ReadonlyArray<Uint8Array>
}

/** All blobs that blocks of the devnet ever carry, in an order that the seed determines. */
export type BlobPool = ReadonlyArray<PoolBlob>

/** Distinct blobs in the pool, and the most that one block carries. */
export const poolSize = 6

/**
 * Computes the pool: four random blobs, which cost about half a second of one core each, a constant one and the zero
 * blob, whose proofs are the point at infinity. The thread is free between two blobs.
 */
export const makeBlobPool = (seed: number): Effect.Effect<BlobPool, DevnetError> =>
  Effect.gen(function* () {
    yield* Effect.mapError(loadKzg, (error) => new DevnetError({ reason: error.reason }))
    const random = yield* Effect.forEach(Array.from({ length: poolSize - 2 }), (_, index) =>
      Effect.zipLeft(
        Effect.sync(() => extend(randomBlob(seed, index))),
        Effect.yieldNow()
      )
    )
    return [
      ...random,
      constantBlob(fieldElement(seeded(seed, "constant blob").bytes(32))),
      constantBlob(new Uint8Array(32))
    ]
  })

const elementsPerBlob = 4096
const infinity = Uint8Array.from({ length: 48 }, (_, index) => (index === 0 ? 0xc0 : 0))

const extend = (blob: Uint8Array): PoolBlob => {
  const [cells, proofs] = kzg.computeCellsAndKzgProofs(blob)
  return { commitment: kzg.blobToKzgCommitment(blob), cells, proofs }
}

/** A constant polynomial is the same everywhere, and its quotients are zero: nothing needs to be computed. */
const constantBlob = (element: Uint8Array): PoolBlob => {
  const cell = repeated(element, bytesPerCell / 32)
  return {
    commitment: kzg.blobToKzgCommitment(repeated(element, elementsPerBlob)),
    cells: Array.from({ length: numberOfColumns }, () => cell),
    proofs: Array.from({ length: numberOfColumns }, () => infinity)
  }
}

const randomBlob = (seed: number, index: number): Uint8Array => {
  const random = seeded(seed, "blob", index)
  const blob = new Uint8Array(elementsPerBlob * 32)
  for (let element = 0; element < elementsPerBlob; element++) blob.set(fieldElement(random.bytes(32)), element * 32)
  return blob
}

/** Below the modulus, because its first byte is 0. */
const fieldElement = (bytes: Uint8Array): Uint8Array => bytes.with(0, 0)

const repeated = (element: Uint8Array, count: number): Uint8Array => {
  const out = new Uint8Array(element.length * count)
  for (let index = 0; index < count; index++) out.set(element, index * element.length)
  return out
}
