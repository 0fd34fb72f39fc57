import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, beforeAll, describe, it } from "@effect/vitest"
import { ssz as types } from "@lodestar/types"
import { Effect, Either, FastCheck, Fiber } from "effect"
import { parse } from "yaml"
import { fromHex } from "../../src/domain/Bytes.ts"
import { peekSidecar } from "../../src/domain/column/Sidecar.ts"
import { encodeSidecar, makeBlock, sidecarOf } from "../../src/devnet/chain/DevBlock.ts"
import { devnetParameters } from "../../src/devnet/DevnetParameters.ts"
import { BadCells, type CellBatch, type Kzg, loadKzg } from "../../src/kzg/Kzg.ts"
import { type SidecarToVerify, Verifier } from "../../src/kzg/Verifier.ts"
import { layerInline } from "../../src/kzg/InlineVerifier.ts"
import { prepareSidecars, verifySidecars } from "../../src/kzg/VerifySidecars.ts"
import { makeResponseDecoder } from "../../src/wire/Codec.ts"
import { dataColumnSidecarsByRange } from "../../src/wire/Protocol.ts"
import { itWithVectors, vectorsFolder, whyNot } from "../Vectors.ts"
import { changed, unprovenColumns, vector } from "./Columns.ts"

const verify = (sidecars: ReadonlyArray<SidecarToVerify>) =>
  Effect.flatMap(Verifier, (verifier) => verifier.verify(sidecars)).pipe(Effect.provide(layerInline))

// The trusted setup takes seconds of a busy core.
beforeAll(() => Effect.runPromise(Effect.asVoid(loadKzg)))

const flip = (bytes: Uint8Array | undefined, at: number): void => {
  if (bytes !== undefined) bytes[at] = (bytes[at] ?? 0) ^ 1
}

describe("verifySidecars", () => {
  it.effect("calls the vectors valid, both forks in one batch", () =>
    Effect.gen(function* () {
      const verdicts = yield* verify([vector("fulu", 0), vector("gloas", 63), vector("fulu", 63), vector("gloas", 0)])
      assert.deepStrictEqual(
        verdicts.map(({ _tag }) => _tag),
        ["Valid", "Valid", "Valid", "Valid"]
      )
      assert.deepStrictEqual(yield* verify([]), [])
    })
  )

  it.effect("calls a column of constant blobs valid, whose proofs are the point at infinity", () =>
    Effect.gen(function* () {
      const infinity = Uint8Array.of(0xc0, ...new Uint8Array(47))
      const pool = [{ commitment: infinity, cells: [new Uint8Array(2048)], proofs: [infinity] }]
      const parameters = devnetParameters(1, 2000, 0)
      const parts = { seed: 1, slot: 100, parentRoot: new Uint8Array(32), parentHash: new Uint8Array(32), variant: 0 }
      const block = makeBlock(parameters, pool, { ...parts, blobs: [0, 0] })
      const ssz = encodeSidecar("fulu", sidecarOf(pool, block, 0))
      const { commitments, root, slot } = block
      const sidecar = { fork: "fulu", ssz, slot, blockRoot: fromHex(root), commitments, maxBlobsPerBlock: 9 } as const
      assert.deepStrictEqual(yield* verify([sidecar]), [{ _tag: "Valid" }])
    })
  )

  it.effect("calls both sidecars of a recorded response valid, and tells them apart by their labels", () =>
    Effect.gen(function* () {
      const file = new URL("../vectors/reqresp/by_range_response_two_chunks.bin", import.meta.url)
      const { items } = makeResponseDecoder(dataColumnSidecarsByRange).push(new Uint8Array(readFileSync(file)))
      const sidecars = items.map((item) => {
        if (item._tag === "Error") return assert.fail(item.message)
        const { kzgCommitments: commitments } = types.fulu.DataColumnSidecar.deserialize(item.chunk.ssz)
        const { blockRoot, index, slot } = Either.getOrThrow(peekSidecar("fulu", item.chunk.ssz))
        return {
          fork: "fulu" as const,
          ssz: item.chunk.ssz,
          slot,
          index,
          blockRoot: fromHex(blockRoot),
          commitments,
          maxBlobsPerBlock: 21
        }
      })
      assert.deepStrictEqual(
        sidecars.map(({ index }) => index),
        [1, 17]
      )
      const verdicts = yield* verify(sidecars)
      assert.deepStrictEqual(
        verdicts.map(({ _tag }) => _tag),
        ["Valid", "Valid"]
      )
    })
  )

  const good = vector("fulu", 63)
  const gloas = vector("gloas", 63)
  const mutations: ReadonlyArray<readonly [string, string, SidecarToVerify, RegExp]> = [
    ["a wrong cell", "kzg_proof", changed(good, (value) => flip(value.column[2], 40)), /6 cells do not hold/],
    ["two cells swapped", "kzg_proof", changed(good, (value) => value.column.reverse()), /do not hold/],
    ["another column's index", "kzg_proof", changed(good, (value) => (value.index = 62)), /do not hold/],
    [
      "a cell above the modulus",
      "kzg_proof",
      changed(good, (value) => value.column[2]?.fill(255)),
      /no field elements or points/
    ],
    [
      "a proof that is no point",
      "kzg_proof",
      changed(good, (value) => value.kzgProofs[1]?.fill(7)),
      /no field elements or points/
    ],
    ["another blob's proof", "kzg_proof", changed(good, (value) => value.kzgProofs.reverse()), /do not hold/],
    ["an index of no column", "structure", changed(good, (value) => (value.index = 128)), /its index is 128/],
    ["a cell too few", "structure", changed(good, (value) => value.column.pop()), /5 cells for 6 commitments/],
    ["a proof too few", "structure", changed(good, (value) => value.kzgProofs.pop()), /6 cells, but 5 proofs/],
    ["no commitments", "structure", changed(good, (value) => (value.kzgCommitments = [])), /it has no commitments/],
    [
      "more blobs than allowed",
      "structure",
      {
        ...changed(good, (value) => {
          value.kzgCommitments.push(new Uint8Array(48))
          value.column.push(new Uint8Array(2048))
          value.kzgProofs.push(new Uint8Array(48))
        }),
        maxBlobsPerBlock: 6
      },
      /at most 6 blobs/
    ],
    ["cut short", "structure", { ...good, ssz: good.ssz.subarray(0, 13219) }, /./],
    ["no bytes", "structure", { ...good, ssz: new Uint8Array(0) }, /0 bytes/],
    ["of a fork without columns", "structure", { ...good, fork: "electra" }, /no data columns in electra/],
    [
      "a header of another block",
      "header",
      changed(good, (value) => (value.signedBlockHeader.message.proposerIndex = 1)),
      /canonical block of its slot is 0x007309f395f6…/
    ],
    ["of another slot", "header", { ...good, slot: good.slot + 1 }, /it is of slot 13410309/],
    [
      "another commitment",
      "commitments",
      changed(good, (value) => flip(value.kzgCommitments[4], 20)),
      /commitment 4 is (0xa572cb…\w+…), the block has (?!\1)0xa572cb…\w+… \(they differ from byte 20 on\)/
    ],
    [
      "a commitment too many, consistently",
      "commitments",
      changed(good, (value) => {
        value.kzgCommitments.push(new Uint8Array(48))
        value.column.push(new Uint8Array(2048))
        value.kzgProofs.push(new Uint8Array(48))
      }),
      /7 commitments, the block has 6/
    ],
    [
      "a broken branch",
      "inclusion_proof",
      changed(good, (value) => flip(value.kzgCommitmentsInclusionProof[3], 0)),
      /the header has body root 0x994607feacaa…/
    ],
    ["Gloas: a wrong cell", "kzg_proof", { ...gloas, ssz: flipped(gloas.ssz, 56 + 2048 + 40) }, /do not hold/],
    ["Gloas: another slot inside", "header", { ...gloas, ssz: flipped(gloas.ssz, 16) }, /it is of slot/],
    ["Gloas: another block", "header", { ...gloas, ssz: flipped(gloas.ssz, 24) }, /it is of block 0x017309f395f6…/],
    [
      "Gloas: fewer cells than the bid has commitments",
      "commitments",
      { ...gloas, commitments: [...gloas.commitments, new Uint8Array(48)] },
      /6 cells, the block has 7 commitments/
    ],
    ["Gloas: no cells", "structure", { ...gloas, ssz: emptied(gloas.ssz) }, /it has no cells/]
  ]
  it.effect.each(mutations)("catches %s (%s)", ([, check, sidecar, detail]) =>
    Effect.gen(function* () {
      const [first, verdict, last] = yield* verify([vector("fulu", 0), sidecar, vector("gloas", 0)])
      assert.strictEqual(first?._tag, "Valid")
      assert.strictEqual(last?._tag, "Valid")
      if (verdict?._tag !== "Invalid") return assert.fail("it passed")
      assert.strictEqual(verdict.check, check)
      assert.match(verdict.detail, detail)
    })
  )

  it.effect("blames nobody when the canonical commitments are no points", () =>
    Effect.gen(function* () {
      const broken = { ...gloas, commitments: gloas.commitments.with(3, new Uint8Array(48).fill(7)) }
      const error = yield* Effect.flip(verify([broken]))
      assert.match(error.reason, /commitments of the canonical block/)
    })
  )

  it.effect("blames nobody when the library fails", () =>
    Effect.gen(function* () {
      const kzg: Kzg = {
        verifyCells: () => {
          throw new Error("Error while allocating memory for cells")
        }
      }
      const error = yield* Effect.flip(verifySidecars(kzg, [good, vector("fulu", 0)]))
      assert.strictEqual(error.reason, "Error while allocating memory for cells")
    })
  )

  it.effect("finds exactly the guilty columns in O(k log n) calls", () =>
    Effect.promise(() =>
      FastCheck.assert(
        FastCheck.asyncProperty(
          FastCheck.uniqueArray(FastCheck.nat(127), { maxLength: 6 }),
          FastCheck.integer({ min: 1, max: 128 }),
          FastCheck.boolean(),
          async (picks, size, throws) => {
            const guilty = picks.filter((index) => index < size)
            let calls = 0
            const kzg: Kzg = {
              verifyCells: ({ cells, indices }: CellBatch) => {
                calls++
                const real = cells.some((cell) => cell.some((byte) => byte !== 0))
                const bad = real && indices.some((index) => guilty.includes(index))
                if (bad && throws) throw new BadCells()
                return !bad
              }
            }
            const verdicts = await Effect.runPromise(verifySidecars(kzg, unprovenColumns.slice(0, size)))
            assert.deepStrictEqual(
              verdicts.flatMap(({ _tag }, index) => (_tag === "Invalid" ? [index] : [])),
              guilty.sort((a, b) => a - b)
            )
            // Bytes that are no points take one more call each, which clears the commitments.
            const perGuilty = 2 * Math.ceil(Math.log2(size)) + (throws ? 2 : 1)
            assert.isAtMost(calls, 1 + guilty.length * perGuilty)
          }
        ),
        { seed: 7, numRuns: 25 }
      )
    )
  )
})

const batches = "kzg/c-kzg-4844/verify_cell_kzg_proof_batch"
const cases = whyNot([batches], vectorsFolder) === undefined ? readdirSync(join(vectorsFolder, batches)) : []

// The recovery vectors are left out: a monitor verifies what others hold and rebuilds nothing.
describe("c-kzg-4844 vectors, verify_cell_kzg_proof_batch", () => {
  if (cases.length === 0) itWithVectors("agree", [`${batches}/*/data.yaml`], () => {})

  for (const name of cases) {
    const file = `${batches}/${name}/data.yaml`
    itWithVectors(name, [file], async () => {
      const kzg = await Effect.runPromise(loadKzg)
      const { input, output } = parse(readFileSync(join(vectorsFolder, file), "utf8"))
      const bytes = (list: ReadonlyArray<string>) => list.map(fromHex)
      const call = () =>
        kzg.verifyCells({
          commitments: bytes(input.commitments),
          indices: input.cell_indices,
          cells: bytes(input.cells),
          proofs: bytes(input.proofs)
        })
      if (output === null) assert.throws(call)
      else assert.strictEqual(call(), output)
    })
  }
})

describe("what is checked before the proofs", () => {
  it.live("lets others have their turn between many sidecars with headers of their own", () =>
    Effect.gen(function* () {
      let turns = 0
      const counting = yield* Effect.fork(
        Effect.forever(
          Effect.zipRight(
            Effect.sleep(0),
            Effect.sync(() => turns++)
          )
        )
      )
      const good = vector("fulu", 0)
      const sidecars = Array.from({ length: 2000 }, (_, index): SidecarToVerify => {
        const ssz = Uint8Array.from(good.ssz)
        // Its proposer.
        new DataView(ssz.buffer).setUint32(28, index, true)
        return { ...good, ssz }
      })
      yield* Effect.yieldNow()
      const before = turns
      const { columns, withProofs } = yield* prepareSidecars(sidecars)
      assert.isAtLeast(turns - before, 3)
      assert.lengthOf(columns, 0)
      assert.isTrue(withProofs([]).every((verdict) => verdict._tag === "Invalid" && verdict.check === "header"))
      yield* Fiber.interrupt(counting)
    })
  )
})

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const copy = Uint8Array.from(bytes)
  flip(copy, at)
  return copy
}

/** A Gloas sidecar's fixed part alone, with offsets that say so. */
function emptied(ssz: Uint8Array): Uint8Array {
  const copy = ssz.slice(0, 56)
  new DataView(copy.buffer).setUint32(12, 56, true)
  return copy
}
