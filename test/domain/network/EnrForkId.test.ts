import { assert, describe, it } from "@effect/vitest"
import { ssz } from "@lodestar/types"
import { bigEndian, fromHex, toHex } from "../../../src/domain/Bytes.ts"
import { enrForkIdAt, nextDigestEpoch } from "../../../src/domain/network/EnrForkId.ts"
import { digestEpochs, forkDigestAt } from "../../../src/domain/network/ForkDigest.ts"
import { makeChain } from "./Chains.ts"

const chain = makeChain({
  blobSchedule: [
    // Before Fulu, and so of no weight.
    { epoch: 7, maxBlobsPerBlock: 12 },
    { epoch: 20, maxBlobsPerBlock: 15 },
    { epoch: 30, maxBlobsPerBlock: 21 }
  ]
})

describe("what an ENR says of its network", () => {
  it("knows every epoch at which the digest changes", () => {
    assert.deepStrictEqual(digestEpochs(chain), [5, 10, 20, 30])
    for (const epoch of digestEpochs(chain)) {
      assert.notDeepEqual(forkDigestAt(chain, epoch), forkDigestAt(chain, epoch - 1))
    }
    assert.strictEqual(nextDigestEpoch(chain, 10), 20)
    assert.strictEqual(nextDigestEpoch(chain, 30), undefined)
  })

  it.each([
    // The next one is a fork: its version.
    [4, "0x05000000", 5],
    [9, "0x06000000", 10],
    // The next one is a step of the blob limit only: the version stays.
    [10, "0x06000000", 20],
    [29, "0x06000000", 30],
    [30, "0x06000000", Infinity]
  ])("is an ENRForkID at epoch %d", (epoch, nextForkVersion, nextForkEpoch) => {
    const { eth2, nfd } = enrForkIdAt(chain, epoch)
    const expected = ssz.phase0.ENRForkID.serialize({
      forkDigest: forkDigestAt(chain, epoch),
      nextForkVersion: fromHex(nextForkVersion),
      nextForkEpoch
    })
    assert.strictEqual(toHex(eth2), toHex(expected))
    assert.strictEqual(
      toHex(nfd),
      nextForkEpoch === Infinity ? "0x00000000" : toHex(forkDigestAt(chain, nextForkEpoch))
    )
  })

  it("takes a step of the blob limit at the epoch of a fork for the fork", () => {
    const both = makeChain({ blobSchedule: [{ epoch: 10, maxBlobsPerBlock: 15 }] })
    assert.strictEqual(toHex(enrForkIdAt(both, 9).eth2.subarray(4, 8)), "0x06000000")
  })

  it("writes numbers without zeros in front", () => {
    assert.deepStrictEqual(
      [0, 4, 128, 9000, 65_535].map((value) => toHex(bigEndian(value))),
      ["0x", "0x04", "0x80", "0x2328", "0xffff"]
    )
  })
})
