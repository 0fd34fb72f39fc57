import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import { AddressBook } from "../../../src/discovery/book/AddressBook.ts"
import * as MemoryBook from "../../../src/discovery/book/MemoryBook.ts"
import { keepBook } from "../../../src/peers/set/KeepBook.ts"
import type { TrackedPeer } from "../../../src/peers/Peers.ts"
import { nodeOf, peerIdOf } from "../../discovery/book/Nodes.ts"
import { trackedPeer } from "../FakePeers.ts"

const peerId = peerIdOf(1)

describe("what is written down of peers that are tracked", () => {
  it.effect("is their score too, with its time, when it has changed to speak of", () =>
    Effect.gen(function* () {
      const book = yield* AddressBook
      yield* book.hear(nodeOf(1))
      const keep = keepBook(book, { audited: () => {} })
      const kept = (over: Partial<TrackedPeer>, now: number) =>
        Effect.map(keep([trackedPeer(peerId, over)], now), () => book.entries().get(peerId))
      const first = yield* kept({ score: 0.8, scoredAt: 100 }, 200)
      assert.deepStrictEqual(first?.score, { value: 0.8, at: 100 })
      assert.strictEqual(yield* kept({ score: 0.801, scoredAt: 300 }, 400), first)
      // One that is away is scored for that as well.
      const away = { isConnected: false, connectedSince: Option.none(), score: 0.3, scoredAt: 500 }
      assert.deepStrictEqual((yield* kept(away, 600))?.score, { value: 0.3, at: 500 })
      // What is older than that says nothing new: a peer that is tracked again is neutral until the history was asked.
      assert.deepStrictEqual((yield* kept({ score: 0.5, scoredAt: 0 }, 700))?.score, { value: 0.3, at: 500 })
    }).pipe(Effect.provide(MemoryBook.layer()))
  )
})
