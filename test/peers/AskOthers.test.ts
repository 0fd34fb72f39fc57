import { assert, describe, it } from "@effect/vitest"
import { type Duration, Effect, Layer, TestClock } from "effect"
import type { PeerView } from "../../src/domain/peer/PeerView.ts"
import type { Outcome, ProbePurpose } from "../../src/domain/probe/Job.ts"
import { noOutcomes } from "../../src/domain/probe/Outcome.ts"
import { NotConnected } from "../../src/domain/probe/ProbeNow.ts"
import { EventBus } from "../../src/events/EventBus.ts"
import * as MemoryEventBus from "../../src/events/MemoryEventBus.ts"
import * as AskOthers from "../../src/peers/AskOthers.ts"
import { Peers } from "../../src/peers/Peers.ts"
import type { ColumnQuestion } from "../../src/peers/Questions.ts"
import { type LackedInBlock, SelfDoubt } from "../../src/probe/SelfDoubt.ts"
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

const delivered = { outcomes: { ...noOutcomes, success: 1 } }

interface Course {
  /** Whoever does not answer is not connected. */
  readonly answers?: (peerId: string) => boolean
  /** Columns of any block that others gave already. */
  readonly given?: ReadonlyArray<number>
  readonly purpose?: ProbePurpose
  /** After each probe. */
  readonly pause?: Duration.DurationInput
  /** What was lacked in scans before. */
  readonly scanned?: ReadonlyArray<LackedInBlock>
  /** Is given the roots that are waited for, each time they are told. */
  readonly awaited?: Array<ReadonlyArray<string>>
}

/** What others are asked when these peers are there, and probes come to this; then some seconds pass. */
const run = (
  peers: ReadonlyArray<PeerView>,
  probes: ReadonlyArray<readonly [string, ReadonlyArray<Outcome>]>,
  { answers = () => true, awaited = [], given = [], pause = 0, purpose = "sampling", scanned = [] }: Course = {}
) =>
  Effect.gen(function* () {
    const asked: Array<Asked> = []
    const lackedInScan = [...scanned]
    const doubt = Layer.mock(SelfDoubt, {
      given: () => Effect.succeed(new Set(given)),
      takeLacked: Effect.sync(() => lackedInScan.splice(0)),
      awaitOthers: (roots) => Effect.sync(() => awaited.push([...roots]))
    })
    const fake = Layer.mock(Peers, {
      views: () => peers,
      passedOver: () => 0,
      isSentAway: () => false,
      ask: (peerId, question) => {
        asked.push({ ...question, peerId })
        if (!answers(peerId)) return new NotConnected({ peerId })
        return Effect.succeed({ probe: probeOf(peerId), proven: [], absent: question.columns })
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
            probe: probeOf(peerId, { outcomes, purpose }),
            conversation: "answered",
            coverage: null
          })
          yield* TestClock.adjust(pause)
        }
        yield* TestClock.adjust("10 seconds")
      }).pipe(Effect.provide(Layer.mergeAll(fake, doubt, MemoryEventBus.layer(), Daemons.layer)))
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
      for (const { columns, isUrgent, peerId, purpose, slot } of asked) {
        assert.deepStrictEqual([slot, purpose, isUrgent], [9, "availability", false])
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

  it.effect("in a scan, others are asked as well, whether or not the monitor knows that peer", () =>
    Effect.gen(function* () {
      const peers = [claiming("a", [3]), claiming("liar", [3], { verdict: "violating" })]
      const scanned = ["stranger", "a", "liar"].map((peerId, n) => ({
        peerId,
        slot: 9 + n,
        root: `0x${n}`,
        columns: [3]
      }))
      const asked = yield* run([...peers, claiming("b", [3])], [], { scanned })
      assert.deepStrictEqual(asked.map(({ peerId, slot }) => [peerId, slot]).sort(), [
        ["a", 9],
        ["b", 10],
        ["b", 9]
      ])
    })
  )

  it.effect("whoever lacks everything does not keep the others from their turn", () =>
    Effect.gen(function* () {
      const peers = [claiming("a", [3], delivered), claiming("b", [3], delivered), claiming("c", [3])]
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

  it.effect("a block is asked about again until some other peer said something of it", () =>
    Effect.gen(function* () {
      const peers = [claiming("a", [3]), claiming("b", [3])]
      const lack = ["a", [lacked(9, 3)]] as const
      const silent = yield* run(peers, [lack, lack, lack], { pause: "2 seconds", answers: () => false })
      assert.deepStrictEqual(
        silent.map(({ peerId }) => peerId),
        ["b", "b", "b"]
      )
      assert.lengthOf(yield* run(peers, [lack, lack, lack], { pause: "2 seconds" }), 1)
    })
  )

  it.effect("what a known liar lacks does not keep others from being asked about the same", () =>
    Effect.gen(function* () {
      const peers = [claiming("liar", [3], { verdict: "violating" }), claiming("a", [3]), claiming("b", [3])]
      const asked = yield* run(
        peers,
        [
          ["liar", [lacked(9, 3)]],
          ["a", [lacked(9, 3)]]
        ],
        { pause: "2 seconds" }
      )
      assert.deepStrictEqual(
        asked.map(({ peerId }) => peerId),
        ["b"]
      )
    })
  )

  it.effect("others are asked too when it was asked for again, as after a restart; not when somebody wants it", () =>
    Effect.gen(function* () {
      const peers = [claiming("a", [3]), claiming("b", [3])]
      const lack = ["a", [lacked(9, 3)]] as const
      assert.lengthOf(yield* run(peers, [lack], { purpose: "confirmation" }), 1)
      assert.lengthOf(yield* run(peers, [lack], { purpose: "availability" }), 0)
    })
  )

  it.effect("nobody is asked for what others gave already, and nobody at all once they gave what it lacks", () =>
    Effect.gen(function* () {
      const peers = [claiming("a", [3]), claiming("b", columnsFrom(0, 10))]
      const lack = ["a", [lacked(9, 3)]] as const
      const asked = yield* run(peers, [lack], { given: columnsFrom(4, 4) })
      assert.lengthOf(asked, 1)
      assert.sameMembers([...(asked[0]?.columns ?? [])], [0, 1, 2, 3, 8, 9])
      assert.lengthOf(yield* run(peers, [lack], { given: [3] }), 0)
    })
  )

  it.effect(
    "those of whom nothing ever came bring up six blocks at once, and six a minute; they wait for no less",
    () =>
      Effect.gen(function* () {
        const strangers = columnsFrom(0, 40).map((peer) => claiming(`stranger ${peer}`, [3]))
        const peers = [...strangers, claiming("a", [3], delivered), claiming("b", [3], delivered)]
        const awaited: Array<ReadonlyArray<string>> = []
        const asked = yield* run(
          peers,
          [
            ...strangers.map(({ peerId }, index) => [peerId, [lacked(100 + index, 3)]] as const),
            ["a", [lacked(9, 3), lacked(10, 3)]]
          ],
          { awaited }
        )
        const slots = new Set(asked.map(({ slot }) => slot))
        assert.includeMembers([...slots], [9, 10])
        assert.strictEqual(slots.size, 2 + 6)
        assert.lengthOf(awaited.at(-1) ?? [], 40 - 6)
      })
  )
})
