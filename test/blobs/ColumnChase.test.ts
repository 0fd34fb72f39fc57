import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Fiber, Layer, Option, TestClock } from "effect"
import { makeChase } from "../../src/blobs/ColumnChase.ts"
import type { Block } from "../../src/domain/network/Block.ts"
import { LiveMatrix } from "../../src/matrix/LiveMatrix.ts"
import { Peers } from "../../src/peers/Peers.ts"
import { probeOf } from "../http/FakeDasmon.ts"
import { claimsOfAll, knownPeer, trackedPeer } from "../peers/FakePeers.ts"

const root = `0x${"aa".repeat(32)}`
const other = `0x${"bb".repeat(32)}`
const block: Block = {
  slot: 100,
  root,
  parentRoot: `0x${"00".repeat(32)}`,
  fork: "fulu",
  commitments: [new Uint8Array(48)],
  signature: Option.none(),
  payload: "full"
}
/** One peer with all columns, that serves the block `canonical`, and sends a wrong column 0 of it. */
const world = (canonical: string) =>
  Layer.mergeAll(
    Layer.mock(LiveMatrix, { columns: () => Effect.succeed(new Map()) }),
    Layer.mock(Peers, {
      tracked: Effect.succeed([trackedPeer("them")]),
      isSentAway: () => false,
      views: () => [],
      passedOver: () => 0,
      view: () => Option.none(),
      known: (peerId) => Option.some(knownPeer(peerId, { claims: Option.some(claimsOfAll(200)) })),
      ask: (peerId, { columns, slot }) =>
        Effect.succeed({
          probe: probeOf(peerId, {
            job: { peerId, startSlot: slot, count: 1, columns },
            outcomes: columns.map((column) => ({
              slot,
              column,
              blobs: 1,
              blockRoot: canonical,
              ...(column === 0
                ? { outcome: "suspected" as const, check: "header" as const, suspicion: "invalid" as const }
                : { outcome: "success" as const })
            }))
          }),
          proven: columns
            .filter((column) => column > 0)
            .map((column) => ({ blockRoot: canonical, column, fork: "fulu" as const, ssz: Uint8Array.of(column) })),
          absent: []
        })
    })
  )

const chased = (canonical: string) =>
  Effect.gen(function* () {
    const chase = yield* makeChase(block, {
      limit: Duration.seconds(20),
      patience: Duration.seconds(1),
      progress: () => Effect.void
    })
    const running = yield* Effect.fork(chase.run)
    yield* Effect.repeatN(TestClock.adjust("250 millis"), 100)
    yield* Fiber.join(running)
    return { columns: chase.columns, account: chase.account() }
  }).pipe(Effect.provide(world(canonical)))

describe("the columns of a block that are looked for", () => {
  it.scoped("are what peers bring, and who brings a wrong one is told", () =>
    Effect.gen(function* () {
      const { account, columns } = yield* chased(root)
      assert.isAtLeast(columns.size, 64)
      assert.isFalse(columns.has(0))
      assert.deepStrictEqual(account.peers[0]?.wrong, [{ column: 0, detail: "header" }])
    })
  )

  it.scoped("are not those of the block that took its place, and nobody is blamed then", () =>
    Effect.gen(function* () {
      const { account, columns } = yield* chased(other)
      assert.strictEqual(columns.size, 0)
      const [peer] = account.peers
      assert.deepStrictEqual([peer?.gave, peer?.absent, peer?.wrong], [[], [], []])
      assert.match(peer?.failure ?? "", /another block/)
    })
  )
})
