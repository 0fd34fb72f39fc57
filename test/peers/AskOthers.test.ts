import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, TestClock } from "effect"
import type { PeerView } from "../../src/domain/peer/PeerView.ts"
import type { Outcome } from "../../src/domain/probe/Job.ts"
import { NotConnected } from "../../src/domain/probe/ProbeNow.ts"
import { EventBus } from "../../src/events/EventBus.ts"
import * as MemoryEventBus from "../../src/events/MemoryEventBus.ts"
import * as AskOthers from "../../src/peers/AskOthers.ts"
import { Peers } from "../../src/peers/Peers.ts"
import type { ColumnQuestion } from "../../src/peers/Questions.ts"
import { Daemons } from "../../src/runtime/Daemon.ts"
import { peerOf, probeOf } from "../http/FakeDasmon.ts"

type Asked = ColumnQuestion & { readonly peerId: string }

const columnsFrom = (first: number, count: number) => Array.from({ length: count }, (_, index) => first + index)

/** A peer that claims these columns of every slot up to 1000. */
const claiming = (peerId: string, columns: ReadonlyArray<number>, more: Partial<PeerView> = {}): PeerView =>
  peerOf(peerId, {
    connected: true,
    headSlot: 1000,
    custody: { groupCount: columns.length, columns, earliestAvailableSlot: 0, source: "metadata" },
    verdict: "compliant",
    ...more
  })

const lacked = (slot: number, column: number): Outcome => ({
  slot,
  column,
  outcome: "suspected",
  suspicion: "missing",
  reason: "left out",
  blockRoot: `0x${slot}`,
  blobs: 1
})

/** What others are asked when these peers are there, and probes come to this; then some seconds pass. */
const run = (peers: ReadonlyArray<PeerView>, probes: ReadonlyArray<readonly [string, ReadonlyArray<Outcome>]>) =>
  Effect.gen(function* () {
    const asked: Array<Asked> = []
    const fake = Layer.mock(Peers, {
      views: () => peers,
      passedOver: () => 0,
      isSentAway: () => false,
      ask: (peerId, question) => {
        asked.push({ ...question, peerId })
        return new NotConnected({ peerId })
      }
    })
    yield* Effect.scoped(
      Effect.gen(function* () {
        const bus = yield* EventBus
        yield* Layer.build(AskOthers.layer)
        yield* TestClock.adjust("1 second")
        for (const [peerId, outcomes] of probes) {
          yield* bus.publish({
            _tag: "Sampling",
            probe: probeOf(peerId, { outcomes }),
            conversation: "answered",
            coverage: null
          })
        }
        yield* TestClock.adjust("10 seconds")
      }).pipe(Effect.provide(Layer.mergeAll(fake, MemoryEventBus.layer(), Daemons.layer)))
    )
    return asked
  })

describe("when a peer lacks something", () => {
  it.effect("those are asked who owe the same, and then others, for columns of their own", () =>
    Effect.gen(function* () {
      const peers = [
        claiming("a", columnsFrom(0, 8)),
        claiming("b", columnsFrom(3, 8)),
        claiming("c", columnsFrom(40, 8)),
        claiming("super", columnsFrom(0, 128)),
        claiming("gone", columnsFrom(3, 8), { connected: false }),
        claiming("liar", columnsFrom(3, 8), { verdict: "violating" }),
        claiming("behind", columnsFrom(3, 8), { headSlot: 5 })
      ]
      const asked = yield* run(peers, [["a", [lacked(9, 3), lacked(9, 4)]]])
      assert.sameMembers(
        asked.map(({ peerId }) => peerId),
        ["b", "super", "c"]
      )
      for (const { columns, peerId, purpose, slot } of asked) {
        assert.deepStrictEqual([slot, purpose], [9, "availability"])
        const own = peers.find((peer) => peer.peerId === peerId)?.custody?.columns ?? []
        for (const column of columns) assert.include(own, column)
        assert.strictEqual(columns.length, Math.min(12, own.length))
        if (peerId !== "c") assert.includeMembers([...columns], [3, 4])
      }
    })
  )

  it.effect("each block is asked for once, and nobody is asked about what a known liar lacks", () =>
    Effect.gen(function* () {
      const peers = [
        claiming("a", [3]),
        claiming("b", [3]),
        claiming("liar", [3], { verdict: "violating" }),
        claiming("c", [3])
      ]
      const asked = yield* run(peers, [
        ["a", [lacked(9, 3)]],
        ["b", [lacked(9, 3)]],
        ["liar", [lacked(10, 3)]],
        ["a", [{ ...lacked(11, 3), outcome: "success" }]]
      ])
      assert.deepStrictEqual(asked.map(({ peerId, slot }) => [peerId, slot]).sort(), [
        ["b", 9],
        ["c", 9]
      ])
    })
  )

  it.effect("whoever lacks everything does not keep the others from their turn", () =>
    Effect.gen(function* () {
      const peers = [claiming("a", [3]), claiming("b", [3]), claiming("c", [3])]
      const everything = columnsFrom(100, 40).map((slot) => lacked(slot, 3))
      const asked = yield* run(peers, [
        ["b", everything],
        ["a", [lacked(9, 3)]]
      ])
      const order = [...new Set(asked.map(({ slot }) => slot))]
      assert.isAtMost(order.indexOf(9), 1)
      assert.isAtMost(order.length, 21)
    })
  )
})
