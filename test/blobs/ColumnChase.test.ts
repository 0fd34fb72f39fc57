import { assert, describe, it } from "@effect/vitest"
import { Clock, Duration, Effect, Fiber, Layer, Option, TestClock } from "effect"
import { makeChase } from "../../src/blobs/ColumnChase.ts"
import type { Block } from "../../src/domain/network/Block.ts"
import { noProgress } from "../../src/domain/peer/AuditProgress.ts"
import { LiveMatrix } from "../../src/matrix/LiveMatrix.ts"
import { Peers } from "../../src/peers/Peers.ts"
import { type ColumnsWanted, PeerSet } from "../../src/peers/set/PeerSet.ts"
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
const nobodyElse = Layer.mock(PeerSet, {
  progress: () => noProgress,
  supernodes: () => [],
  bring: () => Effect.succeed({ dialled: [], areMore: false })
})
/** One peer with all columns, that serves the block `canonical`, and sends a wrong column 0 of it. */
const world = (canonical: string) =>
  Layer.mergeAll(
    nobodyElse,
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

/**
 * A connected peer that has the columns 0 to 39, and others that are known and not connected, of which each has sixteen of
 * the rest; they come two seconds after they were called, but for those that do not answer.
 */
const others = (known: number, silent: ReadonlyArray<string> = [], atOnce = 2) => {
  const calls: Array<ColumnsWanted> = []
  const called = new Map<string, number>()
  const asked: Array<string> = []
  const names = Array.from({ length: known }, (_, n) => `other ${n}`)
  const columnsOf = (peerId: string) => {
    const n = names.indexOf(peerId)
    return Array.from({ length: n < 0 ? 40 : 16 }, (_, index) => (n < 0 ? index : 40 + ((16 * n + index) % 88)))
  }
  const claimsOf = (peerId: string) => {
    const claims = claimsOfAll(200)
    return { ...claims, current: { ...claims.current, columns: columnsOf(peerId) } }
  }
  const up = new Set(["them"])
  const tracked = Effect.map(Clock.currentTimeMillis, (now) => [
    trackedPeer("them", { claim: Option.some(claimsOf("them").current) }),
    ...[...called].map(([peerId, since]) => {
      const isUp = now - since >= 2000 && !silent.includes(peerId)
      if (isUp) up.add(peerId)
      const claim = isUp ? Option.some(claimsOf(peerId).current) : Option.none()
      return trackedPeer(peerId, { isConnected: isUp, claim, failedVisits: isUp || now - since < 2000 ? 0 : 1 })
    })
  ])
  const layer = Layer.mergeAll(
    Layer.mock(LiveMatrix, { columns: () => Effect.succeed(new Map()) }),
    Layer.mock(PeerSet, {
      progress: () => noProgress,
      supernodes: () => [],
      bring: (wanted) =>
        Effect.map(Clock.currentTimeMillis, (now) => {
          calls.push(wanted)
          const left = names.filter(
            (peerId) => !called.has(peerId) && columnsOf(peerId).some((c) => wanted.columns.includes(c))
          )
          const dialled = left.slice(0, Math.min(atOnce, wanted.most))
          for (const peerId of dialled) called.set(peerId, now)
          return { dialled, areMore: left.length > dialled.length }
        })
    }),
    Layer.mock(Peers, {
      tracked,
      isSentAway: () => false,
      views: () => [],
      passedOver: () => 0,
      view: () => Option.none(),
      known: (peerId) =>
        Option.some(knownPeer(peerId, { connected: up.has(peerId), claims: Option.some(claimsOf(peerId)) })),
      ask: (peerId, { columns, slot }) =>
        Effect.sync(() => {
          asked.push(peerId)
          return {
            probe: probeOf(peerId, {
              job: { peerId, startSlot: slot, count: 1, columns },
              outcomes: columns.map((column) => ({ slot, column, blobs: 1, blockRoot: root, outcome: "success" }))
            }),
            proven: columns.map((column) => ({
              blockRoot: root,
              column,
              fork: "fulu" as const,
              ssz: Uint8Array.of(column)
            })),
            absent: []
          }
        })
    })
  )
  const run = Effect.gen(function* () {
    const chase = yield* makeChase(block, {
      limit: Duration.seconds(50),
      patience: Duration.seconds(1),
      progress: () => Effect.void
    })
    const running = yield* Effect.fork(chase.run)
    yield* Effect.repeatN(TestClock.adjust("250 millis"), 240)
    yield* Fiber.join(running)
    return chase
  }).pipe(Effect.provide(layer))
  return { run, calls, called, asked }
}

describe("columns that nobody has who is connected", () => {
  it.scoped(
    "are asked of others who are known: these are dialled, waited for, and no more of them than are needed",
    () =>
      Effect.gen(function* () {
        const { asked, called, calls, run } = others(8)
        const { account, columns } = yield* run
        assert.strictEqual(columns.size, 64)
        // Sixteen columns each, and 24 are lacking.
        assert.deepStrictEqual([...called.keys()].slice(0, 2), ["other 0", "other 1"])
        assert.isAtMost(called.size, 4)
        assert.includeMembers(asked, ["them", "other 0", "other 1"])
        assert.deepStrictEqual(
          calls[0]?.columns,
          Array.from({ length: 88 }, (_, n) => 40 + n)
        )
        assert.includeMembers(
          account().peers.map(({ peerId }) => peerId),
          ["them", "other 0", "other 1"]
        )
      })
  )

  it.scoped("are asked of the next where one does not answer, and it is settled when nobody is left", () =>
    Effect.gen(function* () {
      const { called, run } = others(3, ["other 0", "other 1"])
      const chase = yield* run
      assert.strictEqual(called.size, 3)
      assert.strictEqual(chase.columns.size, 56)
      assert.isTrue(chase.isSettled)
    })
  )

  it.scoped("are asked of a bounded number of peers, and then it is not said that all were asked", () =>
    Effect.gen(function* () {
      const names = Array.from({ length: 200 }, (_, n) => `other ${n}`)
      const { called, run } = others(200, names, 16)
      const chase = yield* run
      assert.strictEqual(called.size, 48)
      assert.isFalse(chase.isSettled)
    })
  )

  it.scoped("are not waited for where the peer set does not answer, and then it is not said that all were asked", () =>
    Effect.gen(function* () {
      const chase = yield* makeChase(block, {
        limit: Duration.seconds(40),
        patience: Duration.seconds(1),
        progress: () => Effect.void
      })
      const running = yield* Effect.fork(chase.run)
      yield* Effect.repeatN(TestClock.adjust("1 second"), 45)
      yield* Fiber.join(running)
      assert.isFalse(chase.isSettled)
    }).pipe(
      Effect.provide([
        Layer.mock(LiveMatrix, { columns: () => Effect.succeed(new Map()) }),
        Layer.mock(PeerSet, { progress: () => noProgress, supernodes: () => [], bring: () => Effect.never }),
        Layer.mock(Peers, {
          tracked: Effect.succeed([]),
          isSentAway: () => false,
          views: () => [],
          passedOver: () => 0,
          view: () => Option.none(),
          known: () => Option.none()
        })
      ])
    )
  )

  it.scoped("are nobody else's business where those who are connected suffice", () =>
    Effect.gen(function* () {
      const { account, columns } = yield* chased(root)
      assert.isAtLeast(columns.size, 64)
      assert.strictEqual(account.peers.length, 1)
    })
  )
})
