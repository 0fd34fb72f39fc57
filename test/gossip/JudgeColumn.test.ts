import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Metric, Option, TestClock } from "effect"
import { type GossipRule, openRules, ownRules } from "../../src/domain/gossip/GossipRule.ts"
import { gossipRulings } from "../../src/domain/metrics/Metrics.ts"
import { fromHex } from "../../src/domain/Bytes.ts"
import { canonical, columnOf, fulu, gloas, pointless, withHeader } from "./Columns.ts"
import { makeJudging, type World } from "./JudgingWorld.ts"

const block = fulu.blockFrom(130)
const topic = fulu.topicOf(block.slot, 7)
const good = columnOf(block, 7)
const judging = makeJudging(fulu, block.slot)
const parentOf = (slot: number) => fromHex(fulu.blockFrom(slot).root)
const other = (block.header.message.proposerIndex + 1) % 1024

type Change = NonNullable<Parameters<typeof columnOf>[2]>

const unchanged: Change = (sidecar) => sidecar

/** Each message breaks the rule and no other before it; most break no other at all. */
const broken: ReadonlyArray<
  readonly [rule: GossipRule, change: Change, change: (world: World) => void, topic?: typeof topic]
> = [
  ["structure", (sidecar) => ({ ...sidecar, kzgProofs: [] }), () => {}],
  ["wrong_subnet", unchanged, () => {}, fulu.topicOf(block.slot, 8)],
  ["other_digest", unchanged, () => {}, fulu.topicOf(64, 7)],
  ["future_slot", withHeader({ slot: block.slot + 4 }), () => {}],
  ["finalized_slot", unchanged, (world) => void (world.finalizedEpoch = 5)],
  ["proposer_index", withHeader({ proposerIndex: 5000, parentRoot: new Uint8Array(32).fill(7) }, 3), () => {}],
  ["signature", withHeader({}, other), () => {}],
  ["parent_unknown", withHeader({ parentRoot: new Uint8Array(32).fill(7) }), () => {}],
  ["parent_slot", withHeader({ parentRoot: parentOf(block.slot + 1) }), (world) => void (world.head = block.slot + 9)],
  ["finalized_ancestor", withHeader({ parentRoot: parentOf(40) }), () => {}],
  [
    "inclusion_proof",
    (sidecar) => ({
      ...sidecar,
      kzgCommitmentsInclusionProof: sidecar.kzgCommitmentsInclusionProof.map(() => new Uint8Array(32))
    }),
    () => {}
  ],
  ["kzg_proof", unchanged, (world) => void (world.verdict = { _tag: "Invalid", check: "kzg_proof", detail: "no" })],
  ["wrong_proposer", withHeader({ proposerIndex: other }), () => {}]
]
const rejects = new Set([
  "structure",
  "wrong_subnet",
  "proposer_index",
  "signature",
  "parent_slot",
  "finalized_ancestor",
  "inclusion_proof",
  "kzg_proof",
  "wrong_proposer"
])

describe("a column by gossip", () => {
  it.scoped("is accepted before its block was imported, once, with two questions for all columns of the block", () =>
    Effect.gen(function* () {
      const { decide, world } = yield* judging
      assert.deepStrictEqual(yield* decide(topic, good), { verdict: "accept", rule: "accepted" })
      assert.strictEqual(world.asked, 2, "its parent and its proposer")
      const second = columnOf(block, 8)
      assert.deepStrictEqual(yield* decide(fulu.topicOf(block.slot, 8), second), {
        verdict: "accept",
        rule: "accepted"
      })
      assert.strictEqual(world.asked, 2)
      assert.deepStrictEqual(yield* decide(topic, good), { verdict: "ignore", rule: "duplicate" })
      assert.deepStrictEqual(world.accepted[0], {
        slot: block.slot,
        blockRoot: block.root,
        blobs: block.blobs.length,
        column: 7,
        from: "a",
        at: block.slot * 1000 + 100,
        bytes: good.length,
        messageId: "0xab",
        topic: `/eth2/${topic.forkDigest.slice(2)}/data_column_sidecar_7/ssz_snappy`,
        fork: "fulu",
        header: {
          proposerIndex: block.header.message.proposerIndex,
          parentRoot: canonical(block).parentRoot,
          stateRoot: `0x${Buffer.from(block.header.message.stateRoot).toString("hex")}`
        }
      })
      assert.deepStrictEqual(world.rejected, [])
    })
  )

  it.scoped.each([...broken])("that breaks %s and no other rule", ([rule, change, arrange, on = topic]) =>
    Effect.gen(function* () {
      const { decide, world } = yield* judging
      arrange(world)
      const verdict = rejects.has(rule) ? "reject" : openRules.has(rule) ? "unjudged" : "ignore"
      assert.deepStrictEqual(yield* decide(on, columnOf(block, 7, change)), { verdict, rule })
      assert.deepStrictEqual(world.accepted, [])
      assert.deepStrictEqual(
        world.rejected.map(({ ruling }) => ruling.rule),
        verdict === "reject" ? [rule] : []
      )
      assert.strictEqual(world.unjudged.length, ownRules.has(rule) ? 1 : 0)
    })
  )

  it.scoped("waits for its parent, and for its slot where clocks are a little more apart", () =>
    Effect.gen(function* () {
      const { judge, world } = yield* judging
      const parent = fulu.state.byRoot.get(canonical(block).parentRoot)
      world.head = (parent?.slot ?? 0) - 1
      const judging_ = yield* Effect.fork(judge(topic, good))
      yield* TestClock.adjust("2 seconds")
      assert.isTrue(Option.isNone(yield* Fiber.poll(judging_)))
      world.head = block.slot - 1
      yield* TestClock.adjust("200 millis")
      assert.strictEqual(yield* Fiber.join(judging_), "accept")
      yield* TestClock.setTime(block.slot * 1000 - 1500)
      const early = yield* Effect.fork(judge(fulu.topicOf(block.slot, 9), columnOf(block, 9)))
      yield* TestClock.adjust("900 millis")
      assert.isTrue(Option.isNone(yield* Fiber.poll(early)))
      yield* TestClock.adjust("100 millis")
      assert.strictEqual(yield* Fiber.join(early), "accept")
    })
  )

  it.scoped("is ignored, and counted, where the beacon node or the verifier cannot be asked", () =>
    Effect.gen(function* () {
      const { decide, world } = yield* judging
      world.isThere = false
      assert.deepStrictEqual(yield* decide(topic, good), { verdict: "unjudged", rule: "ancestry_unchecked" })
      assert.isAtMost(world.asked, 16, "it is not asked without end")
      world.isThere = true
      yield* TestClock.adjust("10 seconds")
      for (const verdict of [undefined, { _tag: "Skipped" } as const]) {
        world.verdict = verdict
        assert.deepStrictEqual(yield* decide(topic, good), { verdict: "unjudged", rule: "kzg_unchecked" })
        assert.deepStrictEqual(world.unjudged.at(-1), { slot: block.slot, blockRoot: block.root, column: 7 })
      }
      assert.strictEqual(world.unjudged.length, 3, "each is our own doing")
      world.verdict = { _tag: "Valid" }
      assert.strictEqual((yield* decide(topic, good)).verdict, "accept", "the same one later")
    })
  )

  it.scoped(
    "is rejected where its proposer has signed commitments that are no points, whatever the verifier says",
    () =>
      Effect.gen(function* () {
        const block = pointless.blockFrom(130)
        const { decide, world } = yield* makeJudging(pointless, block.slot)
        world.verdict = undefined
        for (const column of [7, 8]) {
          const decided = yield* decide(
            pointless.topicOf(block.slot, column),
            columnOf(block, column),
            `peer ${column}`
          )
          assert.deepStrictEqual(decided, { verdict: "reject", rule: "kzg_proof" })
        }
        assert.strictEqual(world.verified, 1, "known of the block from the first on")
        assert.match(world.rejected[0]?.ruling.detail ?? "", /no points on the curve/)
      })
  )

  it.scoped("is unjudged, and counted so, where its judge is given up", () =>
    Effect.gen(function* () {
      const { judge, world } = yield* judging
      world.head = 0
      const counted = Metric.value(gossipRulings.of({ rule: "undecided" }))
      const before = (yield* counted).count
      const fiber = yield* Effect.fork(
        judge(topic, columnOf(block, 7, withHeader({ parentRoot: new Uint8Array(32).fill(7) })))
      )
      yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(fiber)
      assert.strictEqual((yield* counted).count - before, 1)
      assert.strictEqual(world.unjudged.length, 1)
    })
  )

  it.scoped("is judged by the imported block alone where the host tells no more", () =>
    Effect.gen(function* () {
      const { decide, judge, world } = yield* makeJudging(fulu, block.slot, false)
      const early = yield* Effect.fork(judge(topic, good))
      yield* TestClock.adjust("3 seconds")
      assert.strictEqual(world.verified, 0)
      world.head = block.slot
      yield* TestClock.adjust("200 millis")
      assert.strictEqual(yield* Fiber.join(early), "accept")
      const forged = columnOf(block, 8, (sidecar) => ({
        ...sidecar,
        signedBlockHeader: { ...sidecar.signedBlockHeader, signature: new Uint8Array(96).fill(9) }
      }))
      const on = fulu.topicOf(block.slot, 8)
      assert.deepStrictEqual(yield* decide(on, forged), { verdict: "reject", rule: "signature" })
      for (const fact of [
        { _tag: "Empty", slot: block.slot } as const,
        { _tag: "Block", block: { ...canonical(block), root: `0x${"77".repeat(32)}` } } as const,
        { _tag: "Block", block: { ...canonical(block), signature: Option.none() } } as const
      ]) {
        world.fact = fact
        const resigned = columnOf(fulu.blockFrom(140), 8)
        world.head = 150
        yield* TestClock.setTime(150_000)
        assert.strictEqual((yield* decide(fulu.topicOf(140, 8), resigned)).verdict, "unjudged")
      }
    })
  )

  it.scoped("of a peer that sent three wrong ones is not looked at for an hour", () =>
    Effect.gen(function* () {
      const { decide, world } = yield* judging
      world.verdict = { _tag: "Invalid", check: "kzg_proof", detail: "no" }
      for (let sent = 0; sent < 3; sent++) assert.strictEqual((yield* decide(topic, good)).verdict, "reject")
      world.verdict = { _tag: "Valid" }
      assert.deepStrictEqual(yield* decide(topic, good), { verdict: "unjudged", rule: "offender" })
      assert.strictEqual(world.verified, 3)
      assert.strictEqual((yield* decide(topic, good, "b")).verdict, "accept", "another peer's is")
      yield* TestClock.adjust("61 minutes")
      assert.strictEqual((yield* decide(fulu.topicOf(block.slot, 9), columnOf(block, 9))).verdict, "accept")
    })
  )

  it.scoped("keeps nobody's columns of ever more blocks waiting", () =>
    Effect.gen(function* () {
      const { decide, judge } = yield* judging
      const made = (at: number) => columnOf(block, 7, withHeader({ parentRoot: new Uint8Array(32).fill(at + 1) }))
      const flood = yield* Effect.forEach([0, 1, 2], (at) => Effect.fork(judge(topic, made(at), "flood")))
      yield* TestClock.adjust("100 millis")
      assert.deepStrictEqual(yield* decide(topic, made(3), "flood"), { verdict: "unjudged", rule: "crowded" })
      assert.strictEqual((yield* decide(topic, good, "b")).verdict, "accept", "others are not held up")
      yield* TestClock.adjust("8 seconds")
      assert.deepStrictEqual([...(yield* Fiber.join(Fiber.all(flood)))], ["unjudged", "unjudged", "unjudged"])
      assert.strictEqual((yield* decide(fulu.topicOf(block.slot, 11), columnOf(block, 11), "flood")).verdict, "accept")
    })
  )
})

describe("an honest column beside strangers", () => {
  /** Of a parent that nobody has, by a validator that is not to propose; signed once. */
  const madeUp = (at: number): Change => {
    const changed = withHeader({ parentRoot: new Uint8Array(32).fill(at + 1), proposerIndex: other })
    let header: ReturnType<Change>["signedBlockHeader"] | undefined
    return (sidecar) => ({ ...sidecar, signedBlockHeader: (header ??= changed(sidecar).signedBlockHeader) })
  }
  const numbers = (length: number) => Array.from({ length }, (_, at) => at)

  it.scoped("is accepted before its block was imported, however many of them send columns of made-up blocks", () =>
    Effect.gen(function* () {
      const { decide, judge, world } = yield* judging
      const flood = yield* Effect.forEach(numbers(36), (at) =>
        Effect.fork(judge(topic, columnOf(block, 7, madeUp(at)), `stranger ${at % 12}`))
      )
      yield* TestClock.adjust("100 millis")
      assert.deepStrictEqual(yield* decide(topic, good, "honest"), { verdict: "accept", rule: "accepted" })
      assert.isAtMost(world.asked, 8, "the beacon node is asked little about them")
      yield* TestClock.adjust("8 seconds")
      assert.isTrue((yield* Fiber.join(Fiber.all(flood))).every((verdict) => verdict === "unjudged"))
    })
  )

  it.scoped("is accepted though strangers fill all places with columns of one made-up block", () =>
    Effect.gen(function* () {
      const { decide, judge } = yield* judging
      const change = madeUp(1)
      yield* Effect.forEach(numbers(600), (at) =>
        Effect.fork(judge(fulu.topicOf(block.slot, at % 128), columnOf(block, at % 128, change), `stranger ${at % 50}`))
      )
      yield* TestClock.adjust("100 millis")
      assert.deepStrictEqual(yield* decide(topic, good, "honest"), { verdict: "accept", rule: "accepted" })
    })
  )

  it.scoped("that who is to propose has not signed is rejected, and the beacon node is not asked of its parent", () =>
    Effect.gen(function* () {
      const { decide, world } = yield* judging
      const forged = withHeader({ parentRoot: new Uint8Array(32).fill(9) }, other)
      assert.deepStrictEqual(yield* decide(topic, columnOf(block, 7, forged)), { verdict: "reject", rule: "signature" })
      assert.strictEqual(world.asked, 1, "who is to propose")
    })
  )
})

describe("a column of Gloas by gossip", () => {
  const block = gloas.blockFrom(132)
  const topic = gloas.topicOf(block.slot, 7)
  const good = columnOf(block, 7)
  const judging = makeJudging(gloas, block.slot)

  it.scoped("waits for its block, and is accepted once", () =>
    Effect.gen(function* () {
      const { decide, judge, world } = yield* judging
      const early = yield* Effect.fork(judge(topic, good))
      yield* TestClock.adjust("2 seconds")
      assert.isTrue(Option.isNone(yield* Fiber.poll(early)))
      world.head = block.slot
      yield* TestClock.adjust("200 millis")
      assert.strictEqual(yield* Fiber.join(early), "accept")
      assert.isUndefined(world.accepted[0]?.header)
      assert.deepStrictEqual(yield* decide(topic, good), { verdict: "ignore", rule: "duplicate" })
    })
  )

  const broken: ReadonlyArray<
    readonly [GossipRule, "unjudged" | "reject", Uint8Array, (world: World) => void, typeof topic]
  > = [
    ["structure", "reject", good.subarray(0, 50), () => {}, topic],
    ["wrong_subnet", "reject", good, () => {}, gloas.topicOf(block.slot, 8)],
    ["future_slot", "unjudged", good, () => {}, topic],
    ["block_unknown", "unjudged", good, (world) => void (world.head = block.slot - 1), topic],
    [
      "block_slot",
      "reject",
      columnOf(block, 7, (sidecar) => ({ ...sidecar, index: 7 })).map((byte, at) => (at === 16 ? byte + 1 : byte)),
      (world) => void (world.head = block.slot + 1),
      topic
    ],
    [
      "structure",
      "reject",
      good,
      (world) => void (world.verdict = { _tag: "Invalid", check: "structure", detail: "no" }),
      topic
    ],
    [
      "kzg_proof",
      "reject",
      good,
      (world) => void (world.verdict = { _tag: "Invalid", check: "kzg_proof", detail: "no" }),
      topic
    ]
  ]

  it.scoped.each([...broken])("that breaks %s and no other rule: %s", ([rule, verdict, data, arrange, on]) =>
    Effect.gen(function* () {
      const { decide, world } = yield* judging
      world.head = block.slot
      arrange(world)
      if (rule === "future_slot") yield* TestClock.setTime((block.slot - 4) * 1000)
      assert.deepStrictEqual(yield* decide(on, data), { verdict, rule })
      assert.deepStrictEqual(world.accepted, [])
    })
  )
})
