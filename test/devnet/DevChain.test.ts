import { assert, describe, it } from "@effect/vitest"
import { ssz } from "@lodestar/types"
import { createHash } from "node:crypto"
import { Effect, Either, Queue, TestClock } from "effect"
import { concatBytes, toHex } from "../../src/domain/Bytes.ts"
import {
  blockAtOrBefore,
  type ChainRules,
  finalized,
  genesisState,
  grow,
  isCanonical,
  reorganise
} from "../../src/devnet/chain/ChainState.ts"
import { makeDevChain } from "../../src/devnet/chain/DevChain.ts"
import { devnetParameters } from "../../src/devnet/DevnetParameters.ts"
import { fakePool } from "./FakePool.ts"

const rules = { parameters: devnetParameters(7, 2000, 0), pool: fakePool, seed: 7 }
const state = grow(rules, genesisState(rules), 5 * 32)
const blocks = [...state.canonical.values()]

const sha256 = (...parts: ReadonlyArray<Uint8Array>): Uint8Array =>
  new Uint8Array(createHash("sha256").update(concatBytes(parts)).digest())

describe("the chain of the devnet", () => {
  it("has every kind of slot", () => {
    assert.isBelow(blocks.length, 5 * 32 + 1)
    assert.isAbove(blocks.length, 5 * 32 * 0.75)
    assert.deepStrictEqual(
      blocks.map((block) => block.fork),
      blocks.map((block) => (block.slot < 32 ? "electra" : "fulu"))
    )
  })

  it("has any number of blobs up to the limit of the slot, or as many as are asked for", () => {
    const countsOf = (of: ChainRules, first: number, end: number) => {
      const { canonical } = grow(of, genesisState(of), end - 1)
      const counts = new Set([...canonical.values()].flatMap(({ blobs, slot }) => (slot < first ? [] : blobs.length)))
      return [...counts].sort((a, b) => a - b)
    }
    const upTo = (limit: number) => Array.from({ length: limit + 1 }, (_, count) => count)
    assert.deepStrictEqual(countsOf(rules, 1, 3 * 32), upTo(9))
    assert.deepStrictEqual(countsOf(rules, 3 * 32, 12 * 32), upTo(12))
    assert.deepStrictEqual(countsOf({ ...rules, blobs: 6 }, 1, 5 * 32), [6])
    assert.deepStrictEqual(countsOf({ ...rules, blobs: 12 }, 1, 5 * 32), [9, 12])
    assert.deepStrictEqual(countsOf({ ...rules, blobs: 12 }, 3 * 32, 5 * 32), [12])
  })

  it("is made of true blocks: roots, parents, commitments", () => {
    for (const [index, block] of blocks.entries()) {
      const types = block.fork === "electra" ? ssz.electra : ssz.fulu
      const { message } = types.SignedBeaconBlock.deserialize(block.ssz)
      const root = types.BeaconBlock.hashTreeRoot(message)
      assert.strictEqual(toHex(root), block.root)
      assert.strictEqual(message.slot, block.slot)
      assert.strictEqual(
        toHex(message.parentRoot),
        index === 0 ? `0x${"00".repeat(32)}` : blocks[index - 1]?.root,
        `parent of ${block.slot}`
      )
      assert.deepStrictEqual(message.body.blobKzgCommitments.map(toHex), block.commitments.map(toHex))
      assert.deepStrictEqual(ssz.phase0.BeaconBlockHeader.hashTreeRoot(block.header.message), root)
    }
  })

  it("proves the inclusion of the commitments, at depth 4 and subtree index 11", () => {
    for (const block of blocks) {
      let node = ssz.deneb.BlobKzgCommitments.hashTreeRoot([...block.commitments])
      assert.strictEqual(block.inclusionProof.length, 4)
      block.inclusionProof.forEach((sibling, depth) => {
        node = ((11 >> depth) & 1) === 1 ? sha256(sibling, node) : sha256(node, sibling)
      })
      assert.strictEqual(toHex(node), toHex(block.header.message.bodyRoot))
    }
  })

  it("follows from the seed alone, and not from how it grew", () => {
    const again = grow(rules, grow(rules, grow(rules, genesisState(rules), 1), 77), 5 * 32)
    assert.deepStrictEqual([...again.byRoot.keys()], [...state.byRoot.keys()])
    const other = { ...rules, seed: 8 }
    assert.notStrictEqual(
      grow(other, genesisState(other), 40).head.root,
      grow(rules, genesisState(rules), 40).head.root
    )
    assert.notDeepEqual(devnetParameters(8, 2000, 0).genesisValidatorsRoot, rules.parameters.genesisValidatorsRoot)
  })

  it("is final two epochs back", () => {
    const checkpoint = finalized(rules.parameters, state)
    assert.strictEqual(checkpoint.epoch, Math.floor(state.head.slot / 32) - 2)
    assert.strictEqual(checkpoint.root, blockAtOrBefore(state, checkpoint.epoch * 32).root)
    assert.strictEqual(finalized(rules.parameters, grow(rules, genesisState(rules), 60)).root, `0x${"00".repeat(32)}`)
  })

  it("replaces its last blocks in a reorg, and keeps the orphans for a while", () => {
    const [after, reorg] = Either.getOrThrow(reorganise(rules, state, 8, 1))
    for (let slot = state.slot - 7; slot <= state.slot; slot++) {
      const orphan = state.canonical.get(slot)
      const block = after.canonical.get(slot)
      if (orphan === undefined || block === undefined) continue
      assert.notStrictEqual(block.root, orphan.root)
      assert.notStrictEqual(block.blobs.length, orphan.blobs.length)
      assert.isFalse(isCanonical(after, orphan))
      assert.strictEqual(after.byRoot.get(orphan.root), orphan)
    }
    assert.strictEqual(reorg.newHead.slot, state.slot)
    assert.strictEqual(after.canonical.get(state.slot - 8)?.root, state.canonical.get(state.slot - 8)?.root)
    const first = reorg.blocks[0]
    assert.isDefined(first)
    assert.strictEqual(toHex(first.header.message.parentRoot), blockAtOrBefore(state, state.slot - 8).root)
    const later = grow(rules, after, state.slot + 130)
    assert.isUndefined(later.byRoot.get(state.head.root))
    assert.strictEqual(later.byRoot.get(after.head.root), after.head)
    assert.notStrictEqual(Either.getOrThrow(reorganise(rules, after, 8, 2))[1].newHead.root, reorg.newHead.root)
  })

  it.each([0, -1, 1.5, 97, Number.NaN])("refuses a reorg that is %d slots deep", (depth) => {
    const result = reorganise(rules, state, depth, 1)
    assert.isTrue(Either.isLeft(result))
  })

  it("forgets what is out of the retention period", () => {
    const short = { ...rules, parameters: { ...rules.parameters, retentionEpochs: 3 } }
    const long = grow(short, state, 8 * 32)
    assert.strictEqual(long.earliestSlot, 3 * 32)
    assert.deepStrictEqual(
      [...long.canonical.keys()].filter((slot) => slot < long.earliestSlot),
      [0]
    )
    assert.strictEqual(long.byRoot.size, long.canonical.size)
  })

  it.scoped("grows with the clock and says so", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(128 * 2000 + 500)
      const chain = yield* makeDevChain(rules)
      assert.strictEqual((yield* chain.state).slot, 128)
      const events = yield* chain.events
      yield* TestClock.adjust("64 seconds")
      assert.strictEqual((yield* chain.state).slot, 160)
      assert.strictEqual((yield* chain.state).head.root, state.head.root)
      const seen = [...(yield* Queue.takeAll(events))]
      const heads = seen.filter((event) => event._tag === "Head")
      assert.deepStrictEqual(
        heads.map((event) => event.block.root),
        blocks.filter((block) => block.slot > 128).map((block) => block.root)
      )
      assert.strictEqual(heads.filter((event) => event.epochTransition).length, 1)
      const final = seen.filter((event) => event._tag === "Finalized")
      assert.deepStrictEqual(
        final.map((event) => event.checkpoint),
        [finalized(rules.parameters, state)]
      )

      const reorg = yield* chain.reorg(3)
      const tags = [...(yield* Queue.takeAll(events))].map((event) => event._tag)
      assert.deepStrictEqual(tags, [...reorg.blocks.map(() => "Block"), "Reorg", "Head"])
      assert.isTrue(isCanonical(yield* chain.state, reorg.newHead))
    })
  )
})
