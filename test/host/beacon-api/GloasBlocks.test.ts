import { assert, describe, it } from "@effect/vitest"
import { ssz } from "@lodestar/types"
import { Context, Effect, Layer } from "effect"
import { hasColumns } from "../../../src/domain/network/Block.ts"
import { toHex } from "../../../src/domain/Bytes.ts"
import { BeaconApi } from "../../../src/host/beacon-api/BeaconApi.ts"
import { fakeNode, json } from "./FakeNode.ts"

/** A chain of Gloas blocks at slots 1 to 10, each with two commitments in its bid. */
const blocks = (() => {
  let parentRoot = new Uint8Array(32)
  return Array.from({ length: 10 }, (_, index) => {
    const signed = ssz.gloas.SignedBeaconBlock.defaultValue()
    signed.message.slot = index + 1
    signed.message.parentRoot = parentRoot
    signed.message.body.signedExecutionPayloadBid.message.blobKzgCommitments = [1, 2].map((row) =>
      new Uint8Array(48).fill(16 * index + row)
    )
    parentRoot = Uint8Array.from(ssz.gloas.BeaconBlock.hashTreeRoot(signed.message))
    return { signed, root: toHex(parentRoot) }
  })
})()

const zero = `0x${"00".repeat(32)}`
const header = (slot: number) => {
  const { message } = blocks[slot - 1]?.signed ?? ssz.gloas.SignedBeaconBlock.defaultValue()
  return {
    data: {
      header: {
        message: {
          slot: String(message.slot),
          proposer_index: "0",
          parent_root: toHex(message.parentRoot),
          state_root: zero,
          body_root: toHex(ssz.gloas.BeaconBlockBody.hashTreeRoot(message.body))
        }
      }
    }
  }
}

describe("Gloas blocks", () => {
  it.scoped("have the commitments of the bid, and columns only if the payload was revealed", () =>
    Effect.gen(function* () {
      const node = yield* fakeNode({
        handle: (path, _, response) => {
          const slot = Number(/blocks\/(\d+)$/.exec(path)?.[1])
          const block = blocks[slot - 1]
          if (path.endsWith("/genesis")) {
            json(response, {
              data: { genesis_time: "0", genesis_validators_root: zero, genesis_fork_version: "0x00000000" }
            })
          } else if (path.endsWith("/spec")) {
            json(response, { data: { FULU_FORK_EPOCH: "0", GLOAS_FORK_EPOCH: "0", ELECTRA_FORK_EPOCH: "0" } })
          } else if (path.includes("/headers/")) json(response, header(10))
          else if (path.startsWith("/eth/v2/beacon/blocks/") && block !== undefined) {
            if (slot % 2 === 0) {
              json(response, { version: "gloas", data: ssz.gloas.SignedBeaconBlock.toJson(block.signed) })
            } else {
              response.writeHead(200, {
                "content-type": "application/octet-stream",
                ...(slot % 3 === 0 ? {} : { "eth-consensus-version": "gloas" })
              })
              response.end(ssz.gloas.SignedBeaconBlock.serialize(block.signed))
            }
          } else if (path.includes(`execution_payload_envelopes/${blocks[6]?.root}`)) json(response, { data: {} })
          else return false
          return true
        }
      })
      const api = yield* Effect.map(Layer.build(BeaconApi.layer({ url: node.url })), Context.get(BeaconApi))
      const found = yield* api.blocks({ start: 2, end: 10 })
      assert.deepStrictEqual(
        found.map(({ root }) => root),
        blocks.slice(1).map(({ root }) => root)
      )
      assert.deepStrictEqual(
        found.map(({ commitments }) => commitments.map((commitment) => commitment[0])),
        blocks.slice(1).map((_, index) => [16 * (index + 1) + 1, 16 * (index + 1) + 2])
      )
      assert.deepStrictEqual(
        found.map(({ payload, slot }) => [slot, payload]),
        [2, 3, 4, 5, 6, 7, 8, 9, 10].map((slot) => [slot, slot === 7 ? "full" : slot <= 8 ? "empty" : "unknown"])
      )
      assert.deepStrictEqual(
        found.filter(hasColumns).map(({ slot }) => slot),
        [7]
      )
      assert.isFalse(node.asked.some((path) => path.includes("blinded_blocks")))
    })
  )
})
