import { assert, describe, it } from "@effect/vitest"
import { FastCheck } from "effect"
import { fromHex, toHex } from "../../../src/domain/Bytes.ts"
import { blobParametersAt, forkAt } from "../../../src/domain/network/Chain.ts"
import {
  digestTable,
  forkDigestAt,
  forkDigestOfSlot,
  forkDigestsAround
} from "../../../src/domain/network/ForkDigest.ts"
import { makeChain, publicNetworks, readVector } from "./Chains.ts"

const spec: {
  readonly fulu_fork_epoch: number
  readonly blob_schedule: ReadonlyArray<{ readonly epoch: number; readonly max_blobs_per_block: number }>
  readonly cases: ReadonlyArray<{
    readonly epoch: number
    readonly fork_version: string
    readonly genesis_validators_root: string
    readonly expected: string
  }>
} = readVector("fork_digest/consensus_specs_fulu.json")

describe("forkDigestAt", () => {
  it.each(spec.cases)(
    "consensus-specs: epoch $epoch, version $fork_version",
    ({ epoch, expected, fork_version, genesis_validators_root }) => {
      const chain = makeChain({
        genesisValidatorsRoot: fromHex(genesis_validators_root),
        forks: [{ name: "fulu", version: fromHex(fork_version), epoch: spec.fulu_fork_epoch }],
        blobSchedule: spec.blob_schedule.map(({ epoch, max_blobs_per_block }) => ({
          epoch,
          maxBlobsPerBlock: max_blobs_per_block
        }))
      })
      assert.strictEqual(toHex(forkDigestAt(chain, epoch)), expected)
    }
  )

  it.each(publicNetworks)("$network: every fork and blob-parameter step", ({ chain, entries }) => {
    // Of forks at the same epoch only the last one is ever in force.
    const inForce = entries.filter(({ epoch }, index) => entries[index + 1]?.epoch !== epoch)
    for (const { epoch, fork_digest } of inForce) {
      assert.strictEqual(toHex(forkDigestAt(chain, epoch)), fork_digest)
      assert.strictEqual(forkDigestOfSlot(chain, epoch * 32 + 31), fork_digest)
    }
    assert.deepStrictEqual(
      [...digestTable(chain).keys()],
      inForce.map(({ fork_digest }) => fork_digest)
    )
  })

  it("has a digest before any blob parameters are scheduled", () => {
    const chain = makeChain({
      forks: [{ name: "fulu", version: fromHex("0x06000000"), epoch: 0 }],
      blobSchedule: []
    })
    assert.strictEqual(forkDigestAt(chain, 0).length, 4)
  })
})

describe("forkDigestsAround", () => {
  it("takes both sides of a change for ours within two slots of it, and else one", () => {
    const chain = makeChain({})
    const before = toHex(forkDigestAt(chain, 19))
    const after = toHex(forkDigestAt(chain, 20))
    const change = 20 * 32
    assert.deepStrictEqual(forkDigestsAround(chain, change - 3), [before])
    assert.deepStrictEqual(forkDigestsAround(chain, change - 2), [before, after])
    assert.deepStrictEqual(forkDigestsAround(chain, change + 1), [before, after])
    assert.deepStrictEqual(forkDigestsAround(chain, change + 2), [after])
    assert.deepStrictEqual(forkDigestsAround(chain, 0), [toHex(forkDigestAt(chain, 0))])
  })
})

describe("digestTable", () => {
  it("finds the fork, the blob limit and the epochs of the digest of any epoch", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.uniqueArray(FastCheck.integer({ min: 11, max: 300 }), { maxLength: 6 }),
        FastCheck.nat(400),
        (steps, epoch) => {
          const chain = makeChain({
            forks: [...makeChain({}).forks.slice(0, 3), { name: "gloas", version: fromHex("0x07000000"), epoch: 150 }],
            blobSchedule: steps.sort((a, b) => a - b).map((epoch) => ({ epoch, maxBlobsPerBlock: epoch + 1 }))
          })
          const entry = digestTable(chain).get(toHex(forkDigestAt(chain, epoch)))
          if (entry === undefined) return assert.fail("not in the table")
          assert.strictEqual(entry.fork, forkAt(chain, epoch).name)
          assert.strictEqual(entry.maxBlobsPerBlock, blobParametersAt(chain, epoch).maxBlobsPerBlock)
          assert.isTrue(entry.firstEpoch <= epoch && epoch <= entry.lastEpoch)
        }
      ),
      { seed: 2, numRuns: 300 }
    )
  })

  it("covers all epochs once, and leaves out forks that never come", () => {
    const entries = [...digestTable(makeChain({})).values()]
    assert.deepStrictEqual(
      entries.map(({ firstEpoch, fork, lastEpoch, maxBlobsPerBlock }) => [
        fork,
        firstEpoch,
        lastEpoch,
        maxBlobsPerBlock
      ]),
      [
        ["phase0", 0, 4, 9],
        ["electra", 5, 9, 9],
        ["fulu", 10, 19, 9],
        ["fulu", 20, 29, 15],
        ["fulu", 30, Infinity, 21]
      ]
    )
  })
})
