import { assert, describe, it } from "@effect/vitest"
import kzg from "c-kzg"
import { Effect } from "effect"
import { toHex } from "../../src/domain/Bytes.ts"
import { makeBlobPool } from "../../src/devnet/chain/BlobPool.ts"
import { addElements } from "../../src/devnet/chain/FieldElements.ts"

const infinity = `0xc0${"00".repeat(47)}`

describe("the blobs of the devnet", () => {
  it.live("are as many as are asked for, no two alike, none of them cheap to verify, and all true", () =>
    Effect.gen(function* () {
      const pool = yield* makeBlobPool(3, 21)
      assert.lengthOf(pool, 21)
      const points = pool.flatMap(({ commitment, proofs }) => [commitment, ...proofs].map(toHex))
      assert.strictEqual(new Set(points).size, 21 * 129)
      assert.notInclude(points, infinity)
      assert.strictEqual(new Set(pool.flatMap(({ cells }) => cells.map(toHex))).size, 21 * 128)
      for (const column of [0, 63, 64, 127]) {
        const of = <A>(what: (blob: (typeof pool)[number]) => A | undefined) => pool.flatMap((blob) => what(blob) ?? [])
        assert.isTrue(
          kzg.verifyCellKzgProofBatch(
            of(({ commitment }) => commitment),
            pool.map(() => column),
            of(({ cells }) => cells[column]),
            of(({ proofs }) => proofs[column])
          )
        )
      }
    })
  )

  it.live("follow from the seed, and the first of a pool from nothing else", () =>
    Effect.gen(function* () {
      const commitments = (seed: number, size: number) =>
        Effect.map(makeBlobPool(seed, size), (pool) => pool.map(({ commitment }) => toHex(commitment)))
      const four = yield* commitments(3, 4)
      assert.deepStrictEqual((yield* commitments(3, 6)).slice(0, 4), four)
      assert.notDeepEqual(yield* commitments(4, 4), four)
    })
  )

  it("are added below the modulus", () => {
    const element = (...last: ReadonlyArray<number>) => Uint8Array.from([...new Uint8Array(32 - last.length), ...last])
    const largest = kzgModulusLessOne()
    assert.deepStrictEqual(addElements(element(1, 255), element(1)), element(2, 0))
    assert.deepStrictEqual(addElements(largest, element(1)), element())
    assert.deepStrictEqual(addElements(largest, element(2)), element(1))
  })
})

const kzgModulusLessOne = (): Uint8Array =>
  Uint8Array.from(Buffer.from("73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000000", "hex"))
