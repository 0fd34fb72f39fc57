import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { bytesPerCell } from "../../src/domain/network/Chain.ts"
import { equalBytes } from "../../src/domain/Bytes.ts"
import { verifyInBatches } from "../../src/kzg/Batches.ts"
import { layerInline } from "../../src/kzg/InlineVerifier.ts"
import type { CellBatch, Kzg } from "../../src/kzg/Kzg.ts"
import { type SidecarToVerify, Verifier, VerifierError } from "../../src/kzg/Verifier.ts"
import { verifyColumns } from "../../src/kzg/VerifyColumns.ts"
import { prepareSidecars } from "../../src/kzg/VerifySidecars.ts"
import { ProvenLedger } from "../../src/ledger/ProvenLedger.ts"
import * as ProvenVerifier from "../../src/ledger/ProvenVerifier.ts"
import { vector } from "../kzg/Columns.ts"

const ledger = ProvenLedger.layer({ memoryBytes: 2 ** 20, keepSlots: 1000 })

/** A verifier over this KZG, and the same behind a ledger. */
const both = Effect.fnUntraced(function* (kzg: Kzg) {
  const plain = Verifier.of({
    verify: (sidecars, { mostGuilty } = {}) =>
      Effect.flatMap(prepareSidecars(sidecars, mostGuilty), (prepared) => {
        const verified = verifyInBatches(prepared, 4096, (batch) => verifyColumns(kzg, [batch]))
        return Effect.map(verified, prepared.withProofs)
      })
  })
  const context = yield* Layer.build(ProvenVerifier.layer.pipe(Layer.provide([Layer.succeed(Verifier, plain), ledger])))
  return { plain, proven: yield* Effect.provide(Verifier, context) }
})

/** As KZG is: of all bytes only those of the vectors are valid. */
const unique = (calls: Array<CellBatch>): Kzg => {
  const right = (["fulu", "gloas"] as const).flatMap((fork) =>
    ([0, 63] as const).map((column) => ({ column, ssz: vector(fork, column).ssz, start: fork === "fulu" ? 356 : 56 }))
  )
  const holds = (index: number, cells: ReadonlyArray<Uint8Array>, proofs: ReadonlyArray<Uint8Array>): boolean =>
    right.some(
      ({ column, ssz, start }) =>
        column === index &&
        cells.every((cell, row) =>
          equalBytes(cell, ssz.subarray(start + row * bytesPerCell, start + (row + 1) * bytesPerCell))
        ) &&
        proofs.every((proof, row) =>
          equalBytes(proof, ssz.subarray(ssz.length - 48 * (6 - row), ssz.length - 48 * (5 - row)))
        )
    )
  return {
    verifyCells: (batch) => {
      calls.push(batch)
      for (let at = 0; at < batch.cells.length; at += 6) {
        if (!holds(batch.indices[at] ?? -1, batch.cells.slice(at, at + 6), batch.proofs.slice(at, at + 6))) return false
      }
      return true
    }
  }
}

const flipped = (sidecar: SidecarToVerify, at: number, bit = 1): SidecarToVerify => {
  const ssz = Uint8Array.from(sidecar.ssz)
  ssz[at] = (ssz[at] ?? 0) ^ bit
  return { ...sidecar, ssz }
}

describe("a verifier behind a ledger", () => {
  it.scoped("proves a column once, whoever brings it", () =>
    Effect.gen(function* () {
      const calls: Array<CellBatch> = []
      const { proven } = yield* both(unique(calls))
      const all = [vector("fulu", 0), vector("fulu", 63)]
      assert.deepStrictEqual(yield* proven.verify(all), [{ _tag: "Valid" }, { _tag: "Valid" }])
      assert.strictEqual(calls.length, 1)
      assert.deepStrictEqual(yield* proven.verify(all.toReversed()), [{ _tag: "Valid" }, { _tag: "Valid" }])
      assert.strictEqual(calls.length, 1)
      // The same cells and proofs in the form of the other fork.
      assert.deepStrictEqual(yield* proven.verify([vector("gloas", 0)]), [{ _tag: "Valid" }])
      assert.strictEqual(calls.length, 1)
    })
  )

  it.scoped.each(["fulu", "gloas"] as const)(
    "says of a %s sidecar with any one byte flipped what it would say without",
    (fork) =>
      Effect.gen(function* () {
        const good = vector(fork, 63)
        const { plain, proven } = yield* both(unique([]))
        assert.deepStrictEqual(yield* proven.verify([good]), [{ _tag: "Valid" }])
        for (let at = 0; at < good.ssz.length; at++) {
          const bad = flipped(good, at, 1 << (at % 8))
          assert.deepStrictEqual(yield* proven.verify([bad]), yield* plain.verify([bad]), `byte ${at}`)
        }
        assert.deepStrictEqual(yield* proven.verify([good]), [{ _tag: "Valid" }])
      }),
    60_000
  )

  it.live("catches flipped bytes of a proven column with the real library, beside good ones", () =>
    Effect.gen(function* () {
      const verifier = yield* Verifier
      const good = vector("fulu", 63)
      assert.deepStrictEqual(yield* verifier.verify([good]), [{ _tag: "Valid" }])
      const bad = Array.from({ length: 24 }, (_, index) => flipped(good, 356 + index * 530))
      const verdicts = yield* verifier.verify(bad.flatMap((one) => [one, good]))
      assert.deepStrictEqual(
        verdicts.map(({ _tag }) => _tag),
        bad.flatMap(() => ["Invalid", "Valid"])
      )
    }).pipe(Effect.provide(ProvenVerifier.layer.pipe(Layer.provide([layerInline, ledger]))))
  )

  it.scoped("takes a column's bytes for that column of that block only", () =>
    Effect.gen(function* () {
      const calls: Array<CellBatch> = []
      const { plain, proven } = yield* both(unique(calls))
      const good = vector("gloas", 63)
      yield* proven.verify([good])
      const asOther = flipped(good, 0, 64)
      const ofOther = { ...good, ssz: flipped(good, 24).ssz, blockRoot: flipped(good, 24).ssz.slice(24, 56) }
      const before = calls.length
      assert.deepStrictEqual(yield* proven.verify([asOther]), yield* plain.verify([asOther]))
      yield* proven.verify([ofOther])
      assert.isAtLeast(calls.length, before + 3)
    })
  )

  it.scoped("remembers nothing that failed, was skipped or could not be judged", () =>
    Effect.gen(function* () {
      const calls: Array<CellBatch> = []
      const { proven } = yield* both(unique(calls))
      const [good, other] = [vector("fulu", 63), vector("fulu", 0)]
      const bad = flipped(other, 400)
      yield* proven.verify([bad, good], { mostGuilty: 1 })
      const before = calls.length
      assert.strictEqual((yield* proven.verify([bad]))[0]?._tag, "Invalid")
      assert.isAbove(calls.length, before)
      assert.deepStrictEqual(yield* proven.verify([good]), [{ _tag: "Valid" }])
    })
  )

  it.scoped("fails where the verifier gives too few verdicts, and gives all where it is not asked", () =>
    Effect.gen(function* () {
      const context = yield* Layer.build(
        ProvenVerifier.layer.pipe(
          Layer.provide([Layer.succeed(Verifier, { verify: () => Effect.succeed([]) }), ledger])
        )
      )
      const { verify } = yield* Effect.provide(Verifier, context)
      assert.instanceOf(yield* Effect.flip(verify([vector("fulu", 0)])), VerifierError)
      assert.deepStrictEqual(yield* verify([]), [])
    })
  )
})
