import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Layer, Option } from "effect"
import { makeChase } from "../../src/blobs/ColumnChase.ts"
import { CommitmentCache } from "../../src/chain/CommitmentCache.ts"
import { AddressBook } from "../../src/discovery/book/AddressBook.ts"
import * as MemoryBook from "../../src/discovery/book/MemoryBook.ts"
import { hasColumns } from "../../src/domain/network/Block.ts"
import { LiveMatrix } from "../../src/matrix/LiveMatrix.ts"
import { Peers } from "../../src/peers/Peers.ts"
import { PeerSet } from "../../src/peers/set/PeerSet.ts"
import { eventually } from "../Eventually.ts"
import { peersOf, start, watching } from "../peers/OverDevnet.ts"

/** The newest block with columns that is some slots old. */
const settled = Effect.gen(function* () {
  const commitments = yield* CommitmentCache
  const head = yield* commitments.headSlot
  const facts = yield* commitments.range({ start: Math.max(0, head - 12), end: head - 4 })
  const blocks = facts.flatMap((fact) => (fact._tag === "Block" && hasColumns(fact.block) ? [fact.block] : []))
  return yield* Option.fromNullable(blocks.at(-1))
})

const connected = Effect.flatMap(Peers, ({ tracked }) =>
  Effect.map(tracked, (all) => all.filter(({ isConnected }) => isConnected).map(({ peerId }) => peerId))
)

describe("columns that nobody has who is connected, over real sockets", () => {
  it.scopedLive(
    "are asked of a node that is known and owes them, which is dialled for it",
    () =>
      Effect.gen(function* () {
        const devnet = yield* start(["honest", "supernode"], 7)
        const [honest, supernode] = yield* peersOf(devnet)
        const set = PeerSet.layer({
          addresses: [],
          allows: () => true,
          testInterval: Duration.hours(1),
          verdictWindow: Duration.days(7),
          targetPeers: 1,
          peersPerColumn: 0
        }).pipe(Layer.provideMerge(watching(devnet, { addresses: [] })), Layer.provideMerge(MemoryBook.layer()))
        yield* Effect.gen(function* () {
          const book = yield* AddressBook
          yield* book.hear({ address: honest?.address ?? assert.fail("no peer"), source: "discv5" })
          yield* eventually(
            Effect.map(connected, (all) => assert.deepStrictEqual(all, [honest?.peerId ?? ""])),
            "1 minute"
          )
          yield* book.hear({ address: supernode?.address ?? assert.fail("no supernode"), source: "discv5" })
          const block = yield* eventually(settled, "30 seconds")
          const chase = yield* makeChase(block, {
            limit: Duration.seconds(60),
            patience: Duration.seconds(10),
            progress: () => Effect.void
          })
          yield* chase.run
          assert.isAtLeast(chase.columns.size, 64)
          const { peers } = chase.account()
          const gave = new Map(peers.map(({ gave, peerId }) => [peerId, gave.length]))
          assert.isAbove(gave.get(supernode?.peerId ?? "") ?? 0, 0)
          assert.include(yield* connected, supernode?.peerId ?? "")
        }).pipe(
          Effect.provide(Layer.merge(set, Layer.mock(LiveMatrix, { columns: () => Effect.succeed(new Map()) }))),
          Effect.scoped
        )
      }),
    180_000
  )
})
