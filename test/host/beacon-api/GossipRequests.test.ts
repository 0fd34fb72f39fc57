import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Option } from "effect"
import { holds } from "../../../src/bls/Bls.ts"
import { serveBeaconApi } from "../../../src/devnet/api/BeaconApi.ts"
import { blockAtOrBefore } from "../../../src/devnet/chain/ChainState.ts"
import { makeDevChain } from "../../../src/devnet/chain/DevChain.ts"
import { devnetParameters } from "../../../src/devnet/DevnetParameters.ts"
import { fromHex, toHex } from "../../../src/domain/Bytes.ts"
import { epochOf, epochStart } from "../../../src/domain/network/Chain.ts"
import { headerSigningRoot } from "../../../src/domain/network/SigningRoot.ts"
import { BeaconApi } from "../../../src/host/beacon-api/BeaconApi.ts"
import { fakePool } from "../../devnet/FakePool.ts"
import { fakeNode, json } from "./FakeNode.ts"

const lackOf = (path: RegExp) => (asked: string, _: unknown, response: Parameters<typeof json>[0]) => {
  if (!path.test(asked)) return false
  json(response, { code: 404, message: "no such path" }, 404)
  return true
}

const start = (lacking = /^nothing/) =>
  Effect.gen(function* () {
    const genesisTime = Math.floor(Date.now() / 1000) - 3600 * 4 * 32 - 1800
    const parameters = devnetParameters(3, 3_600_000, genesisTime)
    const chain = yield* makeDevChain({ parameters, pool: fakePool, seed: 3 })
    const upstream = yield* serveBeaconApi(
      chain,
      {
        version: "devnet/1",
        identity: { peerId: "16Uiu2node", enr: "enr:-node" },
        peers: Effect.succeed([]),
        accounts: Effect.succeed([])
      },
      0
    )
    const node = yield* fakeNode({ upstream, handle: lackOf(lacking) })
    const { gossip } = Context.get(yield* Layer.build(BeaconApi.layer({ url: node.url })), BeaconApi)
    return { chain, node, gossip, state: yield* chain.state }
  })

describe("what gossip is held against", () => {
  it.scopedLive("is told by the beacon node: proposers, their keys, and imported blocks", () =>
    Effect.gen(function* () {
      const { chain, gossip, state } = yield* start()
      const { parameters } = chain
      const { head } = state
      const epoch = epochOf(parameters, head.slot)
      const proposers = yield* gossip.proposers(epoch)
      const proposer = proposers.bySlot.get(head.slot)
      assert.strictEqual(proposers.bySlot.size, 32)
      assert.strictEqual(proposers.decidedAt, epochStart(parameters, epoch - 1) - 1)
      assert.strictEqual(proposers.dependentRoot, blockAtOrBefore(state, proposers.decidedAt).root)
      assert.strictEqual(proposer?.index, head.header.message.proposerIndex)
      const key = Option.getOrThrow(yield* gossip.validatorKey(head.header.message.proposerIndex))
      assert.strictEqual(toHex(key), toHex(proposer?.publicKey ?? new Uint8Array(0)))
      const signingRoot = headerSigningRoot(parameters, head.slot, fromHex(head.root))
      const { signature } = head.header
      assert.isTrue(holds({ publicKey: key, signingRoot, signature }), "the newest block is signed by its proposer")
      assert.isFalse(holds({ publicKey: key, signingRoot: fromHex(head.root), signature }))
      assert.isFalse(holds({ publicKey: key, signingRoot, signature: new Uint8Array(96).fill(9) }), "no point")
      assert.isTrue(Option.isNone(yield* gossip.validatorKey(1024)))
      assert.deepStrictEqual(
        yield* gossip.block(head.root),
        Option.some({
          slot: head.slot,
          root: head.root,
          parentRoot: toHex(head.header.message.parentRoot),
          isCanonical: true
        })
      )
      assert.isTrue(Option.isNone(yield* gossip.block(`0x${"77".repeat(32)}`)))
      const { newHead, oldHead } = yield* chain.reorg(1)
      assert.isFalse(Option.getOrThrow(yield* gossip.block(oldHead.root)).isCanonical)
      assert.isTrue(Option.getOrThrow(yield* gossip.block(newHead.root)).isCanonical)
    })
  )

  it.scopedLive("is told of a node without the newer form of duties as decided an epoch later", () =>
    Effect.gen(function* () {
      const { chain, gossip, node, state } = yield* start(/^\/eth\/v2\/validator/)
      const epoch = epochOf(chain.parameters, state.head.slot)
      const { bySlot, decidedAt, dependentRoot } = yield* gossip.proposers(epoch)
      assert.strictEqual(bySlot.get(state.head.slot)?.index, state.head.header.message.proposerIndex)
      assert.strictEqual(decidedAt, epochStart(chain.parameters, epoch) - 1)
      assert.strictEqual(dependentRoot, blockAtOrBefore(state, decidedAt).root)
      assert.include(node.asked, `/eth/v1/validator/duties/proposer/${epoch}`)
      const failure = yield* Effect.flip((yield* start(/validator\/duties/)).gossip.proposers(epoch))
      assert.include(failure.message, "duties/proposer")
    })
  )
})
