import { assert, describe, it } from "@effect/vitest"
import { multiaddr } from "@multiformats/multiaddr"
import { Clock, Duration, Effect, Either } from "effect"
import { equalBytes } from "../../src/domain/Bytes.ts"
import { peekSidecar } from "../../src/domain/column/Sidecar.ts"
import { slotStart } from "../../src/domain/network/Chain.ts"
import { columnTopic } from "../../src/domain/network/ColumnTopic.ts"
import { forkDigestOfSlot } from "../../src/domain/network/ForkDigest.ts"
import { encodeSidecar, sidecarOf } from "../../src/devnet/chain/DevBlock.ts"
import type { DevPeer } from "../../src/devnet/peer/DevPeer.ts"
import { reachesAt } from "../../src/devnet/peer/GossipTimes.ts"
import { makeGossip, makeJoinedTopics } from "../../src/host/libp2p/Libp2pGossip.ts"
import { makeNode } from "../../src/wire/Node.ts"
import { eventually } from "../Eventually.ts"
import { shared } from "../Shared.ts"
import { labels, layerStranger, Stranger } from "./Stranger.ts"

describe("when a column reaches a peer", () => {
  it("is between 5 and 60 % of the slot, but for one in fifty, and the same each time", () => {
    const times = Array.from({ length: 2000 }, (_, index) => reachesAt(3, 100 + (index >> 6), index & 63, "peer"))
    assert.isAtLeast(Math.min(...times), 0.05)
    const late = times.filter((at) => at > 0.6)
    assert.isTrue(late.length >= 20 && late.length <= 70, `${late.length} of 2000`)
    assert.isBelow(Math.max(...times), 1.6)
    assert.isAbove(new Set(times).size, 400)
    assert.strictEqual(reachesAt(3, 100, 5, "peer"), times[5])
    assert.notStrictEqual(reachesAt(3, 100, 5, "another"), times[5])
  })
})

const slotMs = 1000
/** Long final; nobody has its last 64 columns. */
const halved = 70
const layer = layerStranger({
  peers: ["supernode", "late-gossip", "gossip-only", "bad-gossip"],
  partial: new Map([[halved, [...Array(64).keys()]]]),
  slotDuration: Duration.millis(slotMs),
  blobs: 2,
  seed: 8
})

/** Somebody who is on the topics of all columns, connected to these peers; what comes is only noted. */
const listener = (peers: ReadonlyArray<DevPeer>) =>
  Effect.gen(function* () {
    const { devnet } = yield* Stranger
    const { chain, parameters } = devnet
    const joined = makeJoinedTopics()
    const node = yield* makeNode({ agent: "listener", gossip: joined.rules })
    const gossip = yield* makeGossip(node, joined)
    const heard: Array<{
      readonly column: number
      readonly data: Uint8Array
      readonly from: string
      readonly at: number
    }> = []
    const slot = yield* chain.currentSlot
    const nameOf = (column: number) => columnTopic({ forkDigest: forkDigestOfSlot(parameters, slot), column })
    for (let column = 0; column < 128; column++) {
      yield* gossip.join(nameOf(column), {
        mostBytes: 100_000,
        judge: ({ data, from }) =>
          Effect.map(Clock.currentTimeMillis, (at) => {
            heard.push({ column, data, from, at })
            return "ignore" as const
          })
      })
    }
    for (const peer of peers) yield* Effect.promise(() => node.dial(multiaddr(peer.multiaddr)))
    const subscribed = peers.map(
      ({ peerId }) =>
        () =>
          gossip.columnTopicsOf(peerId).length > 0
    )
    yield* eventually(() => subscribed.every((is) => is()), "60 seconds")
    return { gossip, heard, nameOf }
  }).pipe(Effect.withClock(Clock.make()))

shared("peers that gossip", layer, (it) => {
  it.live("push the columns that they claim, each at its time, and late-gossip a slot later", () =>
    Effect.gen(function* () {
      const { columnsOf, devnet, peer } = yield* Stranger
      const { chain, parameters } = devnet
      for (const [profile, earliest] of [
        ["supernode", 0.05],
        ["late-gossip", 1.05]
      ] as const) {
        const pusher = peer(profile)
        const columns = yield* columnsOf(pusher)
        const { heard } = yield* listener([pusher])
        yield* eventually(
          () => new Set(heard.map(({ column }) => column)).size >= Math.min(columns.length, 100),
          "60 seconds"
        )
        const { byRoot } = yield* chain.state
        for (const { at, column, data } of heard) {
          assert.include(columns, column)
          const label = Either.getOrThrow(peekSidecar("fulu", data))
          const block = byRoot.get(label.blockRoot)
          if (block === undefined) return assert.fail(`${profile} pushed a column of no block`)
          assert.isTrue(equalBytes(data, encodeSidecar(block.fork, sidecarOf(chain.pool, block, column))))
          assert.isAtLeast(at, slotStart(parameters, block.slot) + earliest * slotMs, profile)
        }
      }
    }).pipe(Effect.scoped)
  )

  it.live("and keep nothing of it, if they are gossip-only", () =>
    Effect.gen(function* () {
      const { blocks, devnet, peer, range } = yield* Stranger
      const { heard } = yield* listener([peer("gossip-only")])
      yield* eventually(() => heard.length > 0, "60 seconds")
      const { slot } = yield* devnet.chain.state
      assert.isAbove((yield* blocks(slot - 20, 20)).length, 0)
      assert.deepStrictEqual(labels(yield* range(peer("gossip-only"), slot - 20, 20)), [])
    }).pipe(Effect.scoped)
  )

  it.live("push what is wrong in four ways besides, if they are bad-gossip, and keep what they claim", () =>
    Effect.gen(function* () {
      const { blocks, columnsOf, devnet, peer, range } = yield* Stranger
      const { chain } = devnet
      const { heard } = yield* listener([peer("bad-gossip")])
      const faultIn = (column: number, data: Uint8Array) =>
        Effect.map(chain.state, ({ byRoot, slot }) => {
          const label = Either.getOrThrow(peekSidecar("fulu", data))
          if (label.index !== column) return "wrong subnet"
          if (label.slot > slot) return "future slot"
          const block = byRoot.get(label.blockRoot)
          if (block === undefined) return "no block"
          const sound = encodeSidecar(block.fork, sidecarOf(chain.pool, block, column))
          // The signature stands behind index, three offsets and the header.
          const [before, after] = [20 + 112, 20 + 112 + 96]
          if (equalBytes(sound, data)) return "sound"
          const isSame = (from: number, to?: number) => equalBytes(sound.subarray(from, to), data.subarray(from, to))
          return isSame(0, before) && isSame(after) ? "bad signature" : "bad proof"
        })
      const kinds = Effect.suspend(() => Effect.forEach(heard, ({ column, data }) => faultIn(column, data)))
      yield* eventually(
        Effect.map(kinds, (kinds) => {
          assert.sameMembers(
            [...new Set(kinds)].filter((kind) => kind !== "sound"),
            ["wrong subnet", "future slot", "bad signature", "bad proof"]
          )
        }),
        "60 seconds"
      )
      const columns = yield* columnsOf(peer("bad-gossip"))
      const due = (yield* blocks(100, 8)).flatMap(({ slot }) => columns.map((column) => `${slot}:${column}`))
      assert.deepStrictEqual(labels(yield* range(peer("bad-gossip"), 100, 8)), due)
    }).pipe(Effect.scoped)
  )

  it.live("take in what others push, and forward and keep it, if it is right", () =>
    Effect.gen(function* () {
      const { blocks, byRoot, devnet, peer } = yield* Stranger
      const { pool } = devnet.chain
      const [block] = yield* blocks(halved, 1)
      if (block === undefined) return assert.fail("there is no block with columns")
      const [pusher, other] = [yield* listener([peer("supernode")]), yield* listener([peer("supernode")])]
      const right = encodeSidecar(block.fork, sidecarOf(pool, block, 100))
      const wrong = Uint8Array.from(encodeSidecar(block.fork, sidecarOf(pool, block, 101)))
      wrong.set([(wrong[400] ?? 0) ^ 1], 400)
      assert.deepStrictEqual(labels(yield* byRoot(peer("supernode"), [block], [100, 101])), [])
      yield* pusher.gossip.publish(pusher.nameOf(101), wrong)
      yield* pusher.gossip.publish(pusher.nameOf(100), right)
      yield* eventually(() => other.heard.some(({ data }) => equalBytes(data, right)), "60 seconds")
      yield* eventually(
        Effect.map(byRoot(peer("supernode"), [block], [100, 101]), (heard) =>
          assert.deepStrictEqual(labels(heard), [`${halved}:100`])
        )
      )
      assert.isFalse(other.heard.some(({ data }) => equalBytes(data, wrong)))
    }).pipe(Effect.scoped)
  )
})
