import { createHash } from "node:crypto"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { ssz as types } from "@lodestar/types"
import { Effect, Either, Option } from "effect"
import { parse } from "yaml"
import { makeBlobPool } from "../../../src/devnet/chain/BlobPool.ts"
import { concatBytes, fromHex, toHex } from "../../../src/domain/Bytes.ts"
import {
  dataColumnSidecars,
  frameOf,
  frameOfBlock,
  type SidecarFrame
} from "../../../src/domain/column/MakeSidecars.ts"
import type { Block } from "../../../src/domain/network/Block.ts"
import {
  blobOfRow,
  type CellKzg,
  computeMatrix,
  type Matrix,
  recoverMatrix
} from "../../../src/domain/column/Matrix.ts"
import { columnsToReconstruct } from "../../../src/domain/network/Chain.ts"
import { checkSidecar } from "../../../src/domain/column/SidecarCheck.ts"
import { viewSidecar } from "../../../src/domain/column/SidecarView.ts"
import { rowOfVersionedHash, versionedHash } from "../../../src/domain/column/VersionedHash.ts"
import { loadKzg } from "../../../src/kzg/Kzg.ts"
import { itWithVectors, vectorsFolder, whyNot } from "../../Vectors.ts"
import { vector } from "../../kzg/Columns.ts"

/** Two blobs and their matrix. */
const sample = Effect.gen(function* () {
  const kzg = yield* loadKzg
  const pool = yield* makeBlobPool(5, 3)
  const blobs = pool.slice(1, 3).map(({ cells }) => concatBytes(cells.slice(0, columnsToReconstruct)))
  return { kzg, pool, blobs, matrix: computeMatrix(kzg, blobs) }
})

describe("the matrix of a block", () => {
  it.effect("has a row of 128 cells for each blob, row by row, as the library computes them", () =>
    Effect.gen(function* () {
      const { blobs, matrix, pool } = yield* sample
      assert.deepStrictEqual(
        matrix.map(({ columnIndex, rowIndex }) => rowIndex * 128 + columnIndex),
        Array.from({ length: 256 }, (_, at) => at)
      )
      // The pool adds points up where this computes them.
      assert.deepStrictEqual(
        matrix
          .slice(128)
          .map(({ cell, kzgProof }) => [cell, kzgProof].map((bytes) => Buffer.from(bytes).toString("hex"))),
        Array.from({ length: 128 }, (_, column) =>
          [pool[2]?.cells[column], pool[2]?.proofs[column]].map((bytes) => Buffer.from(bytes ?? []).toString("hex"))
        )
      )
      assert.deepStrictEqual(
        blobs.map((_, row) => blobOfRow(matrix, row)),
        blobs
      )
    })
  )

  it.effect("comes back from any half of each row, which need not be the same half", () =>
    Effect.gen(function* () {
      const { kzg, matrix } = yield* sample
      const part = matrix.filter(({ columnIndex, rowIndex }) => (columnIndex * 37 + rowIndex * 11) % 128 >= 64)
      assert.lengthOf(part, 128)
      assert.deepStrictEqual(plain(Either.getOrThrow(recoverMatrix(kzg, [...part, ...part], 2))), plain(matrix))
    })
  )

  it("cannot be had from less, and says what is missing", () => {
    const never: CellKzg = {
      commitmentOf: () => assert.fail("nothing is to be committed to"),
      computeCells: () => assert.fail("nothing is to be computed"),
      recoverCells: () => assert.fail("nothing is to be recovered")
    }
    const part: Matrix = Array.from({ length: 63 }, (_, column) => ({
      cell: new Uint8Array(2048),
      kzgProof: new Uint8Array(48),
      columnIndex: 2 * column,
      rowIndex: 0
    }))
    const error = Option.getOrThrow(Either.getLeft(recoverMatrix(never, part, 1)))
    assert.deepInclude(error, { _tag: "NotRecoverable", row: 0, present: 63 })
    assert.deepStrictEqual(error.missing.slice(-4), [123, 125, 126, 127])
    assert.match(error.message, /blob 0 has 63 of the 64 cells/)
    assert.deepStrictEqual(recoverMatrix(never, [], 0), Either.right([]))
  })
})

const plain = (matrix: Matrix) =>
  matrix.map((entry) => ({
    ...entry,
    cell: Buffer.from(entry.cell).toString("hex"),
    kzgProof: Buffer.from(entry.kzgProof).toString("hex")
  }))

describe("sidecars of a matrix", () => {
  it.each(["fulu", "gloas"] as const)("of %s come out of another sidecar of the block as they were", (fork) => {
    const entries = ([0, 63] as const).flatMap((column): Matrix => {
      const { cells, proofs } = Either.getOrThrow(viewSidecar(fork, vector(fork, column).ssz))
      return Array.from({ length: 6 }, (_, row) => ({
        cell: cells.subarray(row * 2048, (row + 1) * 2048),
        kzgProof: proofs.subarray(row * 48, (row + 1) * 48),
        columnIndex: column,
        rowIndex: row
      }))
    })
    const given = vector(fork, 63)
    const frame = frameOf(Either.getOrThrow(viewSidecar(fork, given.ssz)), given.ssz)
    // Of column 64 one cell is not there: no sidecar of it.
    const [first] = entries
    const more = first === undefined ? [] : [{ ...first, columnIndex: 64 }]
    const made = dataColumnSidecars(frame, [...entries.toReversed(), ...more], 6)
    assert.deepStrictEqual([...made.keys()], [0, 63])
    for (const column of [0, 63] as const) {
      const expected = vector(fork, column)
      const ssz = made.get(column) ?? new Uint8Array()
      assert.deepStrictEqual(Buffer.from(ssz).toString("hex"), Buffer.from(expected.ssz).toString("hex"))
      assert.deepStrictEqual(checkSidecar(Either.getOrThrow(viewSidecar(fork, ssz)), expected), Option.none())
    }
    assert.strictEqual(dataColumnSidecars(frame, [], 0).size, 0)
  })
})

/** The block of the vectors, as the chain tells of it. */
const blockOf = (fork: "fulu" | "gloas"): Block => {
  const { blockRoot, commitments, slot } = vector(fork, 0)
  const { kzgCommitmentsInclusionProof: branch, signedBlockHeader } = types.fulu.DataColumnSidecar.deserialize(
    vector("fulu", 0).ssz
  )
  const { bodyRoot, parentRoot, proposerIndex, stateRoot } = signedBlockHeader.message
  return {
    slot,
    root: toHex(blockRoot),
    parentRoot: toHex(parentRoot),
    fork,
    commitments,
    signature: Option.some(signedBlockHeader.signature),
    payload: "full",
    proof: { proposerIndex, stateRoot, bodyRoot, branch }
  }
}

describe("sidecars of blobs and a block", () => {
  it.each(["fulu", "gloas"] as const)("of %s have in common what another sidecar of the block says", (fork) => {
    const { ssz } = vector(fork, 63)
    const frame = Option.getOrThrow(frameOfBlock(blockOf(fork)))
    assert.deepStrictEqual(hexes(frame), hexes(frameOf(Either.getOrThrow(viewSidecar(fork, ssz)), ssz)))
  })

  it("cannot be made where the host does not know the block's proof or its signature", () => {
    const { proof, ...block } = blockOf("fulu")
    assert.isTrue(Option.isNone(frameOfBlock(block)))
    assert.isTrue(Option.isNone(frameOfBlock({ ...blockOf("fulu"), signature: Option.none() })))
    assert.isTrue(Option.isSome(frameOfBlock({ ...block, fork: "gloas", signature: Option.none() })), "no header there")
    assert.isDefined(proof)
  })

  it.effect("are proven by the library, cell by cell, and lead back to the blobs", () =>
    Effect.gen(function* () {
      const { blobs, kzg, matrix } = yield* sample
      const commitments = blobs.map(kzg.commitmentOf)
      const frame = Option.getOrThrow(frameOfBlock({ ...blockOf("gloas"), commitments }))
      const made = dataColumnSidecars(frame, matrix, blobs.length)
      assert.strictEqual(made.size, 128)
      for (const column of [0, 77, 127]) {
        const view = Either.getOrThrow(viewSidecar("gloas", made.get(column) ?? new Uint8Array()))
        const cells = blobs.map((_, row) => view.cells.slice(row * 2048, (row + 1) * 2048))
        const proofs = blobs.map((_, row) => view.proofs.slice(row * 48, (row + 1) * 48))
        assert.isTrue(kzg.verifyCells({ commitments, indices: blobs.map(() => column), cells, proofs }))
        assert.isFalse(kzg.verifyCells({ commitments, indices: blobs.map(() => column ^ 1), cells, proofs }))
      }
      for (const [row, blob] of blobs.entries()) {
        const hash = versionedHash(kzg.commitmentOf(blob))
        assert.deepStrictEqual(rowOfVersionedHash(commitments, hash), Option.some(row))
      }
      assert.isTrue(Option.isNone(rowOfVersionedHash(commitments, new Uint8Array(32))))
    })
  )
})

const hexes = (frame: SidecarFrame) =>
  Object.entries(frame).map(([name, value]) => [name, value instanceof Uint8Array ? toHex(value) : value])

describe("a versioned hash", () => {
  it("is the commitment's SHA-256 under the version 1", () => {
    const [commitment = new Uint8Array()] = vector("fulu", 0).commitments
    const expected = createHash("sha256").update(commitment).digest("hex")
    assert.strictEqual(Buffer.from(versionedHash(commitment)).toString("hex"), `01${expected.slice(2)}`)
    assert.strictEqual(types.deneb.VersionedHash.fixedSize, versionedHash(commitment).length)
  })
})

const recoveries = "kzg/c-kzg-4844/recover_cells_and_kzg_proofs"
const cases = whyNot([recoveries], vectorsFolder) === undefined ? readdirSync(join(vectorsFolder, recoveries)) : []

describe("c-kzg-4844 vectors, recover_cells_and_kzg_proofs", () => {
  if (cases.length === 0) itWithVectors("agree", [`${recoveries}/*/data.yaml`], () => {})

  for (const name of cases) {
    const file = `${recoveries}/${name}/data.yaml`
    itWithVectors(name, [file], async () => {
      const kzg = await Effect.runPromise(loadKzg)
      const { input, output } = parse(readFileSync(join(vectorsFolder, file), "utf8"))
      const hexes: ReadonlyArray<string> = input.cells
      const call = () => kzg.recoverCells(input.cell_indices, hexes.map(fromHex))
      if (output === null) return assert.throws(call)
      const [cells, proofs] = output
      const { cells: ownCells, proofs: ownProofs } = call()
      const hex = (bytes: Uint8Array) => `0x${Buffer.from(bytes).toString("hex")}`
      assert.deepStrictEqual([ownCells.map(hex), ownProofs.map(hex)], [cells, proofs])
    })
  }
})
