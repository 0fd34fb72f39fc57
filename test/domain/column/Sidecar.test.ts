import { readFileSync } from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import { ssz as types } from "@lodestar/types"
import { Either, FastCheck, Option } from "effect"
import { concatBytes, fromHex, toHex } from "../../../src/domain/Bytes.ts"
import { MalformedSidecar, peekSidecar } from "../../../src/domain/column/Sidecar.ts"
import { makeBlockFrames } from "../../../src/domain/column/BlockFrames.ts"
import { checkSidecar } from "../../../src/domain/column/SidecarCheck.ts"
import { type SidecarView, viewSidecar } from "../../../src/domain/column/SidecarView.ts"
import { readVector } from "../network/Chains.ts"

const meta: {
  readonly slot: number
  readonly block_root: string
  readonly kzg_commitments: ReadonlyArray<string>
  readonly sidecar_len_fulu: number
  readonly sidecar_len_gloas: number
  readonly fulu_sidecar_hash_tree_root: Record<string, string>
} = readVector("sidecars/six_blobs/meta.json")

const read = (name: string) =>
  new Uint8Array(readFileSync(new URL(`../../vectors/sidecars/six_blobs/${name}`, import.meta.url)))

const vectors = (["fulu", "gloas"] as const).flatMap((fork) =>
  [0, 63].map((column) => ({ fork, column, ssz: read(`${fork}_column_${column}.ssz`) }))
)

const expected = {
  slot: meta.slot,
  blockRoot: fromHex(meta.block_root),
  commitments: meta.kzg_commitments.map(fromHex),
  maxBlobsPerBlock: 6
}

describe("sidecar vectors", () => {
  it.each(vectors)("$fork column $column: label, content and every check but KZG", ({ column, fork, ssz }) => {
    assert.strictEqual(ssz.length, fork === "fulu" ? meta.sidecar_len_fulu : meta.sidecar_len_gloas)
    assert.deepStrictEqual(Either.getOrThrow(peekSidecar(fork, ssz)), {
      index: column,
      slot: meta.slot,
      blockRoot: meta.block_root
    })
    const sidecar = Either.getOrThrow(viewSidecar(fork, ssz))
    assert.strictEqual(sidecar._tag, fork === "fulu" ? "Fulu" : "Gloas")
    assert.deepStrictEqual(checkSidecar(sidecar, expected), Option.none())
    if (sidecar._tag === "Fulu") {
      assert.strictEqual(
        toHex(types.fulu.DataColumnSidecar.hashTreeRoot(types.fulu.DataColumnSidecar.deserialize(ssz))),
        meta.fulu_sidecar_hash_tree_root[column]
      )
    }
  })

  it("reads a view at any offset of a larger buffer", () => {
    const [vector] = vectors
    if (vector === undefined) return assert.fail()
    const buffer = new Uint8Array(vector.ssz.length + 77)
    buffer.set(vector.ssz, 33)
    const view = buffer.subarray(33, 33 + vector.ssz.length)
    assert.deepStrictEqual(peekSidecar("fulu", view), peekSidecar("fulu", vector.ssz))
    assert.deepStrictEqual(
      joined(Either.getOrThrow(viewSidecar("fulu", view))),
      joined(Either.getOrThrow(viewSidecar("fulu", vector.ssz)))
    )
  })
})

/** A sidecar's parts, in hexadecimal where they are bytes. */
const joined = (sidecar: SidecarView): Record<string, string | number> =>
  Object.fromEntries(
    Object.entries(sidecar).map(([name, part]) => [name, part instanceof Uint8Array ? toHex(part) : part])
  )

const bytes = (length: number) => FastCheck.uint8Array({ minLength: length, maxLength: length })
const list = (length: number, max: number) =>
  FastCheck.nat(max).chain((count) => FastCheck.array(bytes(length), { minLength: count, maxLength: count }))
const number = FastCheck.oneof(FastCheck.nat(), FastCheck.maxSafeNat())

describe("viewSidecar and peekSidecar", () => {
  it("agree on every Fulu sidecar", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.record({
          index: number,
          column: list(2048, 2),
          kzgCommitments: list(48, 3),
          kzgProofs: list(48, 3),
          signedBlockHeader: FastCheck.record({
            message: FastCheck.record({
              slot: number,
              proposerIndex: number,
              parentRoot: bytes(32),
              stateRoot: bytes(32),
              bodyRoot: bytes(32)
            }),
            signature: bytes(96)
          }),
          kzgCommitmentsInclusionProof: FastCheck.array(bytes(32), { minLength: 4, maxLength: 4 })
        }),
        (value) => {
          const ssz = types.fulu.DataColumnSidecar.serialize(value)
          const { message } = value.signedBlockHeader
          assert.deepStrictEqual(joined(Either.getOrThrow(viewSidecar("fulu", ssz))), {
            _tag: "Fulu",
            index: value.index,
            slot: message.slot,
            cells: toHex(concatBytes(value.column)),
            commitments: toHex(concatBytes(value.kzgCommitments)),
            proofs: toHex(concatBytes(value.kzgProofs)),
            header: toHex(types.phase0.BeaconBlockHeader.serialize(message)),
            inclusionProof: toHex(concatBytes(value.kzgCommitmentsInclusionProof))
          })
          assert.deepStrictEqual(Either.getOrThrow(peekSidecar("fulu", ssz)), {
            index: value.index,
            slot: message.slot,
            blockRoot: toHex(types.phase0.BeaconBlockHeader.hashTreeRoot(message))
          })
        }
      ),
      { seed: 9, numRuns: 60 }
    )
  })

  it("agree on every Gloas sidecar", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.record({
          index: number,
          column: list(2048, 2),
          kzgProofs: list(48, 3),
          slot: number,
          beaconBlockRoot: bytes(32)
        }),
        (value) => {
          const ssz = types.gloas.DataColumnSidecar.serialize(value)
          assert.deepStrictEqual(joined(Either.getOrThrow(viewSidecar("gloas", ssz))), {
            _tag: "Gloas",
            index: value.index,
            slot: value.slot,
            cells: toHex(concatBytes(value.column)),
            proofs: toHex(concatBytes(value.kzgProofs)),
            blockRoot: toHex(value.beaconBlockRoot)
          })
          assert.deepStrictEqual(Either.getOrThrow(peekSidecar("gloas", ssz)), {
            index: value.index,
            slot: value.slot,
            blockRoot: toHex(value.beaconBlockRoot)
          })
        }
      ),
      { seed: 10, numRuns: 60 }
    )
  })

  it("give hostile bytes a typed error, or a sidecar that is checked without throwing", () => {
    const damage = FastCheck.record({
      vector: FastCheck.constantFrom(...vectors),
      readAs: FastCheck.constantFrom("fulu" as const, "gloas" as const),
      // Mostly where the offsets are.
      flips: FastCheck.array(
        FastCheck.tuple(FastCheck.oneof(FastCheck.nat(19), FastCheck.nat(13_000)), FastCheck.nat(255)),
        {
          maxLength: 4
        }
      ),
      length: FastCheck.oneof(FastCheck.constant(13_220), FastCheck.nat(13_220))
    })
    const frames = makeBlockFrames()
    const whole = Either.getOrThrow(viewSidecar("fulu", read("fulu_column_0.ssz")))
    assert.deepStrictEqual(checkSidecar(whole, expected, frames), Option.none())
    assert.isDefined(frames.get(expected.blockRoot))
    let decoded = 0
    FastCheck.assert(
      FastCheck.property(damage, ({ flips, length, readAs, vector }) => {
        const ssz = vector.ssz.slice(0, length)
        for (const [at, value] of flips) if (at < ssz.length) ssz[at] = value
        const peeked = peekSidecar(readAs, ssz)
        const sidecar = viewSidecar(readAs, ssz)
        if (Either.isLeft(peeked)) assert.isTrue(Either.isLeft(sidecar))
        else assert.strictEqual(Either.isRight(sidecar), decodes(readAs, ssz))
        if (Either.isLeft(sidecar)) return assert.instanceOf(sidecar.left, MalformedSidecar)
        decoded++
        // Whatever was found of the block before, the answer is the same.
        assert.deepStrictEqual(checkSidecar(sidecar.right, expected, frames), checkSidecar(sidecar.right, expected))
      }),
      { seed: 11, numRuns: 2_000 }
    )
    assert.isAbove(decoded, 20)
  })

  /** Whether another implementation reads it. */
  const decodes = (fork: "fulu" | "gloas", ssz: Uint8Array): boolean =>
    Either.isRight(
      Either.try(() =>
        fork === "fulu" ? types.fulu.DataColumnSidecar.deserialize(ssz) : types.gloas.DataColumnSidecar.deserialize(ssz)
      )
    )

  const broken = (fork: "fulu" | "gloas", change: (view: DataView) => void): string => {
    const copy = read(`${fork}_column_0.ssz`)
    change(new DataView(copy.buffer))
    return Either.match(peekSidecar(fork, copy), { onLeft: ({ reason }) => reason, onRight: () => "accepted" })
  }

  it("say what is wrong", () => {
    assert.match(
      broken("fulu", (view) => view.setUint32(8, 357, true)),
      /first offset is 357, not 356/
    )
    assert.match(
      broken("gloas", (view) => view.setUint32(8, 356, true)),
      /first offset is 356, not 56/
    )
    assert.match(
      broken("fulu", (view) => view.setBigUint64(0, 2n ** 53n, true)),
      /index is 9007199254740992/
    )
    assert.match(
      broken("fulu", (view) => view.setBigUint64(20, 2n ** 64n - 1n, true)),
      /slot is 18446744073709551615/
    )
    assert.match(
      broken("gloas", (view) => view.setBigUint64(16, 2n ** 60n, true)),
      /slot is 1152921504606846976/
    )
    const reason = (fork: "fulu" | "gloas" | "electra", length: number) =>
      Either.match(peekSidecar(fork, new Uint8Array(length)), { onLeft: ({ reason }) => reason, onRight: () => "" })
    assert.match(reason("fulu", 355), /355 bytes, allowed is 356\.\.8782180/)
    assert.match(reason("gloas", 55), /55 bytes, allowed is 56\.\.8585272/)
    assert.match(reason("gloas", 8_585_273), /8585273 bytes/)
    assert.match(reason("electra", 13_220), /no data columns in electra/)
  })
})
