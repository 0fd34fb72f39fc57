import { SignableENR } from "@chainsafe/enr"
import { ssz } from "@lodestar/types"
import { BitArray } from "@chainsafe/ssz"
import { assert, describe, it } from "@effect/vitest"
import { Either, Option } from "effect"
import { identityOf } from "../../../src/devnet/peer/DevPeerIdentity.ts"
import { decodeNodeRecord } from "../../../src/domain/peer/NodeRecord.ts"
import { decodeMetadata } from "../../../src/wire/Handshake.ts"

const { privateKey } = identityOf(1, "somebody")
const attnets = BitArray.fromBoolArray(Array.from({ length: 64 }, (_, index) => index === 3 || index === 63))
const syncnets = BitArray.fromBoolArray([false, true, false, false])
const both = { attnets: [3, 63], syncnets: [1] }
const subnetsIn = (bytes: Uint8Array) => Either.map(decodeMetadata(bytes), ({ subnets }) => subnets)

const subnetsOf = (enr: SignableENR) => Either.getOrThrow(decodeNodeRecord(enr.encodeTxt())).subnets

describe("subnets", () => {
  it("are read of an ENR, as they are of MetaData in each version", () => {
    const enr = SignableENR.createV4(privateKey, { attnets: attnets.uint8Array, syncnets: syncnets.uint8Array })
    assert.deepStrictEqual(subnetsOf(enr), Option.some(both))
    const seqNumber = 5n
    assert.deepStrictEqual(
      subnetsIn(ssz.fulu.Metadata.serialize({ seqNumber, attnets, syncnets, custodyGroupCount: 4 })),
      Either.right(both)
    )
    assert.deepStrictEqual(
      subnetsIn(ssz.altair.Metadata.serialize({ seqNumber, attnets, syncnets })),
      Either.right(both)
    )
    assert.deepStrictEqual(
      subnetsIn(ssz.phase0.Metadata.serialize({ seqNumber, attnets })),
      Either.right({ attnets: [3, 63], syncnets: [] })
    )
  })

  it("are not there in an ENR without them", () => {
    assert.deepStrictEqual(subnetsOf(SignableENR.createV4(privateKey, {})), Option.none())
  })

  it("of a stranger take no more room than they may have", () => {
    const enr = SignableENR.createV4(privateKey, { attnets: new Uint8Array(100).fill(255) })
    assert.isAtMost(Option.getOrThrow(subnetsOf(enr)).attnets.length, 256)
  })
})
