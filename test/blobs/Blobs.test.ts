import { assert, describe, it } from "@effect/vitest"
import { Effect, Either, Fiber, Layer, Option, TestClock } from "effect"
import { Blobs } from "../../src/blobs/Blobs.ts"
import { CommitmentCache } from "../../src/chain/CommitmentCache.ts"
import type { Block } from "../../src/domain/network/Block.ts"
import { slotStart } from "../../src/domain/network/Chain.ts"
import { Externs } from "../../src/host/Externs.ts"
import { Recoverer } from "../../src/kzg/Recoverer.ts"
import { noProgress } from "../../src/domain/peer/AuditProgress.ts"
import { LiveMatrix } from "../../src/matrix/LiveMatrix.ts"
import { Peers } from "../../src/peers/Peers.ts"
import { PeerSet } from "../../src/peers/set/PeerSet.ts"
import { makeChain } from "../domain/network/Chains.ts"

const chain = makeChain({})
const slot = 320_000
const block: Block = {
  slot,
  root: `0x${"aa".repeat(32)}`,
  parentRoot: `0x${"00".repeat(32)}`,
  fork: "fulu",
  commitments: [new Uint8Array(48)],
  signature: Option.none(),
  payload: "full"
}
const held = {
  fork: "fulu" as const,
  ssz: new Uint8Array(1),
  source: "gossip" as const,
  at: 0,
  from: "them"
}

/** A node that holds half of the columns, and has no thread free to prove anything. */
const busy = Blobs.layer.pipe(
  Layer.provide([
    Layer.mock(Externs, { chain }),
    Layer.mock(CommitmentCache, {
      columnSlots: () => 0,
      replacedSince: () => ({ seen: 0, blocks: [] }),
      headSlot: Effect.succeed(slot),
      range: () => Effect.succeed([{ _tag: "Block", block }])
    }),
    Layer.mock(Peers, {
      isSentAway: () => false,
      views: () => [],
      passedOver: () => 0,
      view: () => Option.none(),
      known: () => Option.none(),
      tracked: Effect.succeed([])
    }),
    Layer.mock(PeerSet, { supernodes: () => [], progress: () => noProgress }),
    Layer.mock(LiveMatrix, {
      columns: () => Effect.succeed(new Map(Array.from({ length: 64 }, (_, n) => [2 * n, { column: 2 * n, ...held }])))
    }),
    Layer.mock(Recoverer, { blobs: () => Effect.never })
  ])
)

describe("blobs that are fetched", () => {
  it.effect("are given up when the time for all of it is over, the proving of them too", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(slotStart(chain, slot) + 6000)
      const blobs = yield* Blobs
      const running = yield* Effect.fork(Effect.either(blobs.fetch({ block: { slot }, limit: "5 seconds" })))
      yield* Effect.repeatN(TestClock.adjust("1 second"), 6)
      const result = yield* Fiber.poll(running)
      const given = yield* Option.getOrThrow(result)
      assert.isTrue(Either.isLeft(given) && given.left._tag === "BlobsUndecided" && given.left.message.includes("5s"))
    }).pipe(Effect.provide(busy))
  )
})
