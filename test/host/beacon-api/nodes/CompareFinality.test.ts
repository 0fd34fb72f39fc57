import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Option } from "effect"
import { NodeHttpClient } from "@effect/platform-node"
import { makeBeaconHttp } from "../../../../src/host/beacon-api/BeaconHttp.ts"
import { type BeaconNode, type Header, makeBeaconNode } from "../../../../src/host/beacon-api/BeaconNode.ts"
import {
  compareFinality,
  type FinalizedBlock,
  type FinalizedChain
} from "../../../../src/host/beacon-api/nodes/CompareFinality.ts"
import { devnetParameters } from "../../../../src/devnet/DevnetParameters.ts"

const parameters = devnetParameters(1, 1000, 1)
const rootOf = (slot: number, branch: "a" | "b"): string => `0x${branch}${slot.toString(16).padStart(63, "0")}`

/** A chain of headers with a block in every third slot; from `forkedAt` on those of another branch. */
const chainOf = (forkedAt: number): ReadonlyMap<number, Header> => {
  const headers = new Map<number, Header>()
  let parentRoot = `0x${"00".repeat(32)}`
  for (let slot = 0; slot <= 320; slot += 3) {
    const root = rootOf(slot, slot >= forkedAt ? "b" : "a")
    headers.set(slot, { slot, root, parentRoot, stateRoot: parentRoot, proposerIndex: 0 })
    parentRoot = root
  }
  return headers
}

/** The last block at or before the epoch's first slot. */
const checkpoint = (headers: ReadonlyMap<number, Header>, epoch: number): FinalizedBlock => {
  const slot = Math.floor((epoch * 32) / 3) * 3
  return { epoch, root: headers.get(slot)?.root ?? "", slot: Option.some(slot) }
}

/** A node that is asked nothing but what `nodeOf` answers. */
const base = Effect.gen(function* () {
  const http = yield* makeBeaconHttp({
    url: "http://127.0.0.1:1",
    timeout: Duration.seconds(1),
    concurrency: 1
  })
  return yield* makeBeaconNode(http, parameters, false)
}).pipe(Effect.provide(NodeHttpClient.layerUndici))

/** A node that has these headers from `first` on, and answers an empty slot as it likes. */
const nodeOf = (
  from: BeaconNode,
  headers: ReadonlyMap<number, Header>,
  options: { readonly first?: number; readonly before?: boolean } = {}
): BeaconNode => {
  const first = options.first ?? 0
  const known = [...headers.values()].filter(({ slot }) => slot >= first)
  return {
    ...from,
    header: (root) => Effect.succeed(Option.fromNullable(known.find((header) => header.root === root))),
    headerAt: (slot) =>
      Effect.succeed(
        Option.fromNullable(
          options.before === true
            ? known.findLast((header) => header.slot <= slot)
            : known.find((one) => one.slot === slot)
        )
      )
  }
}

describe("what two nodes have finalized", () => {
  const ours = chainOf(Infinity)
  const forked = chainOf(200)
  const setting = (
    theirs: ReadonlyMap<number, Header>,
    epochs: { readonly ours: ReadonlyArray<number>; readonly theirs: ReadonlyArray<number> },
    options: Parameters<typeof nodeOf>[2] = {}
  ) =>
    Effect.gen(function* () {
      const node = yield* base
      const one: FinalizedChain = {
        node: nodeOf(node, ours),
        checkpoints: epochs.ours.map((epoch) => checkpoint(ours, epoch))
      }
      const other: FinalizedChain = {
        node: nodeOf(node, theirs, options),
        checkpoints: epochs.theirs.map((epoch) => checkpoint(theirs, epoch))
      }
      const agreement = yield* compareFinality(one, other)
      assert.strictEqual(yield* compareFinality(other, one), agreement)
      return agreement
    }).pipe(Effect.scoped)

  it.effect("is compared by the newest epoch of which both have told", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* setting(ours, { ours: [5, 6, 7], theirs: [5, 6] }), "agree")
      assert.strictEqual(yield* setting(forked, { ours: [5, 6], theirs: [5, 6] }), "agree")
      assert.strictEqual(yield* setting(forked, { ours: [5, 6, 8], theirs: [5, 6, 8] }), "disagree")
    })
  )

  it.effect("is asked for where one is further, and a fork is proven by the links", () =>
    Effect.gen(function* () {
      for (const before of [false, true]) {
        assert.strictEqual(yield* setting(ours, { ours: [7], theirs: [8] }, { before }), "agree")
        assert.strictEqual(yield* setting(forked, { ours: [7], theirs: [9] }, { before }), "disagree")
        assert.strictEqual(yield* setting(forked, { ours: [5], theirs: [9] }, { before }), "agree")
      }
    })
  )

  it.effect("is not known where a node has nothing so old, or nothing at all was told", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* setting(forked, { ours: [7], theirs: [9] }, { first: 270 }), "unknown")
      assert.strictEqual(yield* setting(forked, { ours: [], theirs: [9] }), "unknown")
    })
  )
})
