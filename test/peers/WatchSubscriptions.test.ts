import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Layer, TestClock } from "effect"
import { columnTopic } from "../../src/domain/network/ColumnTopic.ts"
import { forkDigestOfSlot } from "../../src/domain/network/ForkDigest.ts"
import { History } from "../../src/history/store/History.ts"
import { Gossip } from "../../src/host/Gossip.ts"
import { chain, claimOf, peer } from "../probe/FakeWorld.ts"
import { dialled, layerIdleSampler, saying, view, world } from "./Script.ts"

const owed = claimOf(saying(8)).columns
const topics = (columns: ReadonlyArray<number>, forkDigest = forkDigestOfSlot(chain, 0)) =>
  columns.map((column) => columnTopic({ forkDigest, column }))

/** A peer that is refreshed every minute, keeps up with the chain, and is on these topics at each minute. */
const watched = (topicsAt: () => ReadonlyArray<string>) =>
  world(
    (script) => {
      script.refresh = () => Effect.sync(() => ({ ...saying(8), headSlot: 100_000 }))
    },
    { addresses: [dialled], testInterval: Duration.minutes(30), refreshInterval: Duration.minutes(1) },
    { sampler: layerIdleSampler }
  ).pipe(Layer.provide(Layer.mock(Gossip, { join: () => Effect.void, columnTopicsOf: () => topicsAt() })))

const seen = Effect.gen(function* () {
  const { findings, subscribedColumns, verdict } = yield* view(peer.peerId)
  const kept = yield* Effect.flatMap(History, (history) => history.peer(peer.peerId))
  assert.strictEqual(verdict, "unknown")
  assert.strictEqual(kept.findings.columns_not_subscribed ?? 0, findings.columns_not_subscribed ?? 0)
  return { columns: subscribedColumns, told: findings.columns_not_subscribed ?? 0 }
})

describe("the topics that a peer is on", () => {
  it.effect("are shown, and a finding where for minutes they are not all that it owes; once until that is over", () => {
    let columns = owed
    return Effect.gen(function* () {
      yield* TestClock.adjust("15 minutes")
      assert.deepStrictEqual(yield* seen, { columns: owed, told: 0 })
      columns = owed.slice(2)
      yield* TestClock.adjust("9 minutes")
      assert.deepStrictEqual(yield* seen, { columns, told: 0 })
      yield* TestClock.adjust("2 minutes")
      assert.strictEqual((yield* seen).told, 1)
      yield* TestClock.adjust("40 minutes")
      assert.strictEqual((yield* seen).told, 1)
      columns = owed
      yield* TestClock.adjust("2 minutes")
      columns = owed.slice(1)
      yield* TestClock.adjust("15 minutes")
      assert.strictEqual((yield* seen).told, 2)
    }).pipe(Effect.provide(watched(() => topics(columns))))
  })

  it.effect("say nothing where there are none, or only those of another digest", () => {
    let on = topics([])
    return Effect.gen(function* () {
      yield* TestClock.adjust("30 minutes")
      assert.deepStrictEqual(yield* seen, { columns: null, told: 0 })
      on = topics([1, 2], "0x01020304")
      yield* TestClock.adjust("30 minutes")
      assert.deepStrictEqual(yield* seen, { columns: null, told: 0 })
    }).pipe(Effect.provide(watched(() => on)))
  })

  it.effect("may be more than what it owes", () => {
    const more = [...new Set([...owed, 0, 1, 2])].sort((a, b) => a - b)
    return Effect.gen(function* () {
      yield* TestClock.adjust("30 minutes")
      assert.deepStrictEqual(yield* seen, { columns: more, told: 0 })
    }).pipe(Effect.provide(watched(() => topics(more.toReversed()))))
  })

  it.effect("are not known where the host has no gossip", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("30 minutes")
      assert.deepStrictEqual(yield* seen, { columns: null, told: 0 })
    }).pipe(
      Effect.provide(
        world(() => {}, { addresses: [dialled], refreshInterval: Duration.minutes(1) }, { sampler: layerIdleSampler })
      )
    )
  )
})
