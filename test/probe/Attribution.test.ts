import { assert, describe, it } from "@effect/vitest"
import { Either, FastCheck } from "effect"
import { type ChainParameters, epochStart } from "../../src/domain/network/Chain.ts"
import { digestTable, forkDigestOfSlot } from "../../src/domain/network/ForkDigest.ts"
import { makeAttribution } from "../../src/probe/Attribution.ts"
import { chain as gloasOnly } from "./FakeWorld.ts"

const chain: ChainParameters = {
  ...gloasOnly,
  forks: [
    { name: "electra", version: Uint8Array.of(5, 0, 0, 1), epoch: 0 },
    { name: "fulu", version: Uint8Array.of(6, 0, 0, 1), epoch: 1 },
    { name: "gloas", version: Uint8Array.of(7, 0, 0, 1), epoch: 4 }
  ],
  blobSchedule: [{ epoch: 2, maxBlobsPerBlock: 15 }]
}
const network = { chain, digests: digestTable(chain) }
const slots = [epochStart(chain, 1), epochStart(chain, 2), epochStart(chain, 4)]
const fixedOf = { fulu: 356, gloas: 56 }

const sidecar = (fork: "fulu" | "gloas", slot: number, column: bigint, cells: number): Uint8Array => {
  const ssz = new Uint8Array(fixedOf[fork] + cells)
  const view = new DataView(ssz.buffer)
  view.setBigUint64(0, column, true)
  view.setUint32(8, fixedOf[fork], true)
  view.setBigUint64(fork === "fulu" ? 20 : 16, BigInt(slot), true)
  return ssz
}

/** Sidecars of few blocks, and some of them with a byte that is another. */
const sidecars = FastCheck.record({
  fork: FastCheck.constantFrom("fulu" as const, "gloas" as const),
  slot: FastCheck.constantFrom(...slots),
  column: FastCheck.constantFrom(0n, 1n, 127n, 128n, 2n ** 32n, 2n ** 53n - 1n, 2n ** 53n),
  cells: FastCheck.constantFrom(0, 4),
  context: FastCheck.constantFrom(...slots, -1),
  changed: FastCheck.option(FastCheck.nat({ max: 400 }))
}).map(({ cells, changed, column, context, fork, slot }) => {
  const ssz = sidecar(fork, slot, column, cells)
  if (changed !== null && changed < ssz.length) ssz[changed] = (ssz[changed] ?? 0) ^ 1
  return { context: context < 0 ? "0x01020304" : forkDigestOfSlot(chain, context), ssz, wireBytes: ssz.length }
})

describe("attribution", () => {
  it("reads of each sidecar what it would read of it alone, whatever came before", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.array(sidecars, { maxLength: 12 }), (chunks) => {
        const attribute = makeAttribution(network)
        for (const chunk of chunks) assert.deepStrictEqual(attribute(chunk), makeAttribution(network)(chunk))
      }),
      { seed: 17, numRuns: 500 }
    )
  })

  it("takes two that differ in a byte of their headers for two blocks", () => {
    const attribute = makeAttribution(network)
    const rootOf = (changed: number) => {
      const ssz = sidecar("fulu", slots[0] ?? 0, 3n, 4)
      ssz[changed] = 1
      const context = forkDigestOfSlot(chain, slots[0] ?? 0)
      return Either.getOrThrow(attribute({ context, ssz, wireBytes: 0 })).sidecar.blockRoot
    }
    // Proposer index to body root, each of them after the same block.
    const roots = Array.from({ length: 104 }, (_, index) => rootOf(28 + index))
    assert.strictEqual(new Set(roots).size, roots.length)
    assert.strictEqual(rootOf(355), rootOf(0))
  })
})
