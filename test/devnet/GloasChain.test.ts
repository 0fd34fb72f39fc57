import { assert, describe, it } from "@effect/vitest"
import { ssz } from "@lodestar/types"
import { Either, Option } from "effect"
import { genesisState, grow, reorganise } from "../../src/devnet/chain/ChainState.ts"
import { encodeSidecar, hasSidecars, sidecarOf } from "../../src/devnet/chain/DevBlock.ts"
import { devnetParameters } from "../../src/devnet/DevnetParameters.ts"
import { fromHex, toHex } from "../../src/domain/Bytes.ts"
import { viewSidecar } from "../../src/domain/column/SidecarView.ts"
import { checkSidecar } from "../../src/domain/column/SidecarCheck.ts"
import { fakePool } from "./FakePool.ts"

const rules = { parameters: devnetParameters(7, 2000, 0, { gloas: 2 }), pool: fakePool, seed: 7 }
const grown = grow(rules, genesisState(rules), 4 * 32)
const [state] = Either.getOrThrow(reorganise(rules, grown, 8, 1))
const blocks = [...state.canonical.values()].sort((a, b) => a.slot - b.slot)
const gloas = blocks.filter(({ fork }) => fork === "gloas")

describe("the chain of a devnet that crosses into Gloas", () => {
  it("is made of blocks of the new form from the fork on, each of which is built upon the payload before", () => {
    assert.isAbove(gloas.length, 40)
    assert.isTrue(blocks.every(({ fork, slot }) => (fork === "gloas") === slot >= 64))
    for (const block of gloas) {
      const { message } = ssz.gloas.SignedBeaconBlock.deserialize(block.ssz)
      assert.strictEqual(toHex(ssz.gloas.BeaconBlock.hashTreeRoot(message)), block.root)
      const bid = message.body.signedExecutionPayloadBid.message
      const parent = blocks[blocks.indexOf(block) - 1]
      assert.strictEqual(toHex(message.parentRoot), parent?.root)
      assert.strictEqual(toHex(bid.parentBlockHash), toHex(parent?.blockHash ?? new Uint8Array()))
      assert.deepStrictEqual(bid.blobKzgCommitments.map(toHex), block.commitments.map(toHex))
    }
  })

  it("has columns that name their block and carry no commitments", () => {
    const block = gloas.find(hasSidecars)
    assert(block !== undefined)
    const bytes = encodeSidecar(block.fork, sidecarOf(rules.pool, block, 5))
    const sidecar = Either.getOrThrow(viewSidecar("gloas", bytes))
    assert.deepInclude(sidecar, { index: 5, slot: block.slot })
    const { commitments, root, slot } = block
    const expected = { slot, blockRoot: fromHex(root), commitments, maxBlobsPerBlock: 12 }
    assert.deepStrictEqual(checkSidecar(sidecar, expected), Option.none())
  })
})
