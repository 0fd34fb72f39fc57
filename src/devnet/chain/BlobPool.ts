import kzg from "c-kzg"
import { Effect } from "effect"
import { concatBytes } from "../../domain/Bytes.ts"
import { columnsToReconstruct } from "../../domain/network/Chain.ts"
import { loadKzg } from "../../kzg/Kzg.ts"
import { DevnetError } from "../DevnetError.ts"
import { addElements, randomElements } from "./FieldElements.ts"
import { type ProofPoint, readPoints, writePoints } from "./ProofPoints.ts"
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

/** The blobs of a block as they were before they were extended, 131,072 bytes each, in row order. */
export const blobsOf = (
  pool: BlobPool,
  { blobs }: { readonly blobs: ReadonlyArray<number> }
): ReadonlyArray<Uint8Array> =>
  blobs.map((index) => concatBytes((pool[index]?.cells ?? []).slice(0, columnsToReconstruct)))

/** All blobs that blocks of the devnet ever carry, in an order that the seed determines. */
export type BlobPool = ReadonlyArray<PoolBlob>

/**
 * Computes a pool of so many blobs, at least two. The first two are random, and cost about half a second of one core each;
 * each of the others is the sum of the two before it, and cells, proofs and commitment are sums likewise: to whoever sees
 * one of them it is as random, and to be verified it costs as much, but it is made in 20 ms. The thread is free in between.
 */
export const makeBlobPool = (seed: number, size: number): Effect.Effect<BlobPool, DevnetError> =>
  Effect.gen(function* () {
    yield* Effect.mapError(loadKzg, (error) => new DevnetError({ reason: error.reason }))
    let [before, last] = [yield* inTurn(() => random(seed, 0)), yield* inTurn(() => random(seed, 1))]
    const pool = [before.blob, last.blob]
    while (pool.length < size) {
      const next = yield* inTurn(() => sum(before, last))
      pool.push(next.blob)
      before = last
      last = next
    }
    return pool
  })

const inTurn = <A>(make: () => A): Effect.Effect<A> => Effect.zipLeft(Effect.sync(make), Effect.yieldNow())

/** A blob, and its points in the form in which they are added: that of the commitment first. */
interface Summand {
  readonly blob: PoolBlob
  readonly points: ReadonlyArray<ProofPoint>
}

const elementsPerBlob = 4096

const random = (seed: number, index: number): Summand => {
  const elements = randomElements(seeded(seed, "blob", index), elementsPerBlob)
  const [cells, proofs] = kzg.computeCellsAndKzgProofs(elements)
  const commitment = kzg.blobToKzgCommitment(elements)
  return { blob: { commitment, cells, proofs }, points: readPoints([commitment, ...proofs]) }
}

const sum = (one: Summand, other: Summand): Summand => {
  const points = one.points.flatMap((point, index) => other.points[index]?.add(point) ?? [])
  const [commitment = new Uint8Array(), ...proofs] = writePoints(points)
  const cells = one.blob.cells.flatMap((cell, index) => addElements(cell, other.blob.cells[index] ?? cell))
  return { blob: { commitment, cells, proofs }, points }
}
