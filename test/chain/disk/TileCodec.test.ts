import { assert, describe, it } from "@effect/vitest"
import { Either } from "effect"
import type { Block } from "../../../src/domain/network/Block.ts"
import { tileOf } from "../../../src/domain/network/Tile.ts"
import { decodeTile, encodeTile, isProven } from "../../../src/chain/disk/TileCodec.ts"
import { provenBlocks } from "./ProvenChain.ts"

const tileBlocks = (tile: number, signed = true) =>
  provenBlocks(1, 400, signed).filter((block) => tileOf(block.slot) === tile)

/** The body root of a block with a branch follows from it. */
const compared = (blocks: ReadonlyArray<Block>) =>
  blocks.map((block) => ({
    ...block,
    proof: { ...block.proof, bodyRoot: block.proof?.branch.length === 0 ? block.proof.bodyRoot : undefined }
  }))

describe("a tile as bytes", () => {
  it("is read as it was written: with blocks and empty slots, signed or not, and without any block", () => {
    for (const [tile, signed] of [
      [0, true],
      [3, true],
      [3, false],
      [10, true],
      [11, true]
    ] as const) {
      const blocks = tileBlocks(tile, signed)
      const read = Either.getOrThrow(decodeTile(tile, encodeTile(blocks.filter(isProven))))
      assert.deepStrictEqual(compared(read), compared(blocks))
    }
    assert.lengthOf(tileBlocks(10), 0)
  })

  it("is known for damaged whichever bit is wrong, also by its roots alone", () => {
    const bytes = encodeTile(tileBlocks(3).filter(isProven))
    for (let at = 0; at < bytes.length; at += 61) {
      const damaged = bytes.slice()
      damaged[at] = (damaged[at] ?? 0) ^ 4
      assert.isTrue(Either.isLeft(decodeTile(3, damaged)), `byte ${at}`)
    }
    for (const length of [0, 5, 72, bytes.length - 1]) {
      assert.isTrue(Either.isLeft(decodeTile(3, bytes.subarray(0, length))), `${length} bytes`)
    }
    // Another tile's: the slots are in the roots.
    assert.deepStrictEqual(decodeTile(4, bytes), Either.left("its blocks do not come to the root that it has of them"))
    assert.deepStrictEqual(decodeTile(3, bytes.subarray(0, 1)), Either.left("it is not of this version"))
  })

  it("is not made of blocks without a proof, or of which it is not known what their payload came to", () => {
    const [block] = tileBlocks(3)
    assert.isDefined(block)
    if (block === undefined) return
    assert.isTrue(isProven(block))
    assert.isFalse(isProven({ ...block, proof: undefined }))
    assert.isFalse(isProven({ ...block, payload: "unknown" }))
  })
})
