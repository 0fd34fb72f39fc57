import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Layer, Option, Random, Stream, TestClock } from "effect"
import { CommitmentCache } from "../../src/chain/CommitmentCache.ts"
import type { Block, SlotFacts, SlotRoot } from "../../src/domain/network/Block.ts"
import type { ClaimParts } from "../../src/domain/peer/ClaimParts.ts"
import { extendClaims, joinMarginSlots, startClaims } from "../../src/domain/peer/ClaimHistory.ts"
import { noSuspicions } from "../../src/domain/peer/Suspicions.ts"
import type { Job, Probe } from "../../src/domain/probe/Job.ts"
import { slotsWithin } from "../../src/domain/network/Tile.ts"
import { History } from "../../src/history/store/History.ts"
import * as MemoryHistory from "../../src/history/store/MemoryHistory.ts"
import { Externs } from "../../src/host/Externs.ts"
import { Sampler, type SamplerOptions } from "../../src/sampler/Sampler.ts"
import { chain, claimOf, peer, statement } from "../probe/FakeWorld.ts"

const options: SamplerOptions = {
  maxColumns: 8,
  maxSlots: 8,
  maxCombinations: 64,
  slotBias: "uniform",
  preferUntested: true,
  retryFailures: true,
  retryAfter: Duration.seconds(1),
  historyWindow: Duration.seconds(500),
  blockFilter: () => ({ start: 0, end: Infinity }),
  margins: { headSlots: 8, retentionEpochs: 2 }
}

/** Every slot up to the head, 1000, has columns; the clock stands there too. */
const headSlot = 1000

const rootOf = (slot: number): string => `0x${slot}`

/** Without a history of its own. */
const sampler = (over: Partial<SamplerOptions> = {}, replaced: ReadonlyArray<SlotRoot> = []) =>
  Sampler.layer({ ...options, ...over }).pipe(
    Layer.provide(Layer.mock(Externs, { chain, chainEvents: Stream.never })),
    Layer.provide(
      Layer.mock(CommitmentCache, {
        columnSlots: (tile) => slotsWithin(tile, { start: 0, end: headSlot }),
        replacedSince: (seen) => ({ seen: replaced.length, blocks: replaced.slice(seen) }),
        orphan: (root) => (replaced.some((block) => block.root === root) ? Option.some(orphaned(root)) : Option.none()),
        headSlot: Effect.succeed(headSlot),
        range: ({ end, start }) =>
          Effect.succeed(
            Array.from({ length: end - start + 1 }, (_, index): SlotFacts => {
              const slot = start + index
              return { _tag: "Block", block: { ...orphaned(rootOf(slot)), slot } }
            })
          )
      })
    )
  )

const layer = (over: Partial<SamplerOptions> = {}, replaced: ReadonlyArray<SlotRoot> = []) =>
  sampler(over, replaced).pipe(Layer.provideMerge(MemoryHistory.layer))

const orphaned = (root: string): Block => ({
  slot: 0,
  root,
  parentRoot: "0x",
  fork: "gloas",
  commitments: [],
  signature: Option.none(),
  payload: "full"
})

const probeOf = (job: Job): Probe => ({
  id: `${job.startSlot}`,
  purpose: "sampling",
  job,
  startedAt: 900_000,
  finishedAt: 900_001,
  timings: { open: 1, firstByte: 1, total: 1 },
  requests: 1,
  bytes: 1,
  outcomes: Array.from({ length: job.count }, (_, index) => job.startSlot + index).flatMap((slot) =>
    job.columns.map((column) => ({ slot, column, outcome: "success" as const, blockRoot: "0x", blobs: 1 }))
  ),
  recovered: 0,
  findings: []
})

/** The lowest and the highest slot of 200 jobs, and all columns asked for. */
const reach = (parts: Omit<ClaimParts, "nodeId">) =>
  Effect.gen(function* () {
    yield* TestClock.setTime(headSlot * 1000)
    const { next } = yield* Sampler
    const jobs = yield* Effect.replicateEffect(next(peer.peerId, startClaims(claimOf(parts)), noSuspicions), 200)
    const found = jobs.flatMap(Option.toArray)
    return {
      lowest: Math.min(...found.map(({ startSlot }) => startSlot)),
      highest: Math.max(...found.map(({ count, startSlot }) => startSlot + count - 1)),
      jobs: found.length
    }
  })

/** The same test with so many draws of everything that is left to chance, each repeatable. */
const seeded = <A, E, R>(test: Effect.Effect<A, E, R>, seeds = 1) =>
  Effect.forEach(Array.from({ length: seeds }).keys(), (seed) => Effect.withRandom(test, Random.make(seed)))

describe("Sampler", () => {
  it.effect("asks from the history window's edge to the margin below the head", () =>
    Effect.gen(function* () {
      const reached = yield* seeded(reach(statement(8)).pipe(Effect.provide(layer())), 20)
      assert.isTrue(reached.every(({ highest, lowest }) => lowest >= 500 && highest <= 992))
      // Two hundred draws out of sixteen tiles leave out the first or the last of them in one of 400,000 runs.
      assert.isBelow(Math.min(...reached.map(({ lowest }) => lowest)), 512)
      assert.isAbove(Math.max(...reached.map(({ highest }) => highest)), 983)
    })
  )

  it.effect("never asks below the epoch after the earliest available slot, or above the peer's own head", () =>
    Effect.gen(function* () {
      const reached = yield* seeded(reach({ ...statement(8, 700), headSlot: 900 }).pipe(Effect.provide(layer())), 20)
      assert.isTrue(reached.every(({ highest, lowest }) => lowest >= 704 && highest <= 892))
      assert.strictEqual((yield* reach(statement(8, 995))).jobs, 0)
    }).pipe(Effect.provide(layer()))
  )

  it.effect("keeps to the block filter", () =>
    Effect.gen(function* () {
      const filtered = layer({ blockFilter: (head) => ({ start: head - 200, end: head - 190 }) })
      const reached = yield* seeded(reach(statement(8)).pipe(Effect.provide(filtered)), 20)
      assert.isTrue(reached.every(({ highest, lowest }) => lowest >= 800 && highest <= 810))
    })
  )

  it.effect("asks for a column that joined the claim only from some slots after the one at which it did", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(headSlot * 1000)
      const { next } = yield* Sampler
      const before = claimOf(statement(4))
      const claims = extendClaims(startClaims(before), claimOf(statement(12)), 900 - joinMarginSlots)
      const jobs = (yield* Effect.replicateEffect(next(peer.peerId, claims, noSuspicions), 300)).flatMap(Option.toArray)
      const early = jobs.filter(({ count, startSlot }) => startSlot + count <= 900)
      assert.isAbove(early.length, 50)
      assert.isTrue(early.every(({ columns }) => columns.every((column) => before.columns.includes(column))))
      assert.isTrue(jobs.some(({ columns, startSlot }) => startSlot >= 900 && columns.length === 6))
    }).pipe(seeded, Effect.provide(layer()))
  )

  it.effect("tests nothing again that it recorded before it was started anew, and says how much that is", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(headSlot * 1000)
      const { next, record, unload } = yield* Sampler
      const history = yield* History
      const claims = startClaims(claimOf(statement(8, 900)))
      // From the epoch after its earliest available slot, 928, to the margin below the head, 992.
      const slots = 65
      const tested = new Set<number>()
      for (let jobs = 0; tested.size < slots; jobs++) {
        assert.isBelow(jobs, 100)
        const probe = probeOf(Option.getOrThrow(yield* next(peer.peerId, claims, noSuspicions)))
        assert.isTrue(probe.outcomes.every(({ slot }) => slot >= 928 && slot <= 992 && !tested.has(slot)))
        const before = tested.size
        for (const { slot } of probe.outcomes) tested.add(slot)
        assert.strictEqual(tested.size - before, probe.job.count)
        const counts = yield* record(probe)
        assert.deepStrictEqual(
          counts,
          Option.some({ counts: { owed: slots * 8, tested: tested.size * 8, failed: 0 }, recovered: 0 })
        )
        yield* history.recordProbe({ ...probe, id: String(jobs) }, "answered")
        yield* unload(peer.peerId)
      }
    }).pipe(Effect.provide(layer()), (test) => seeded(test, 10))
  )

  it.effect("counts what was held against a block that was replaced as untested, in memory and on disk", () => {
    const replaced: Array<SlotRoot> = []
    return Effect.gen(function* () {
      yield* TestClock.setTime(headSlot * 1000)
      const { next, record, unload } = yield* Sampler
      const history = yield* History
      const claims = startClaims(claimOf(statement(8)))
      const job = Option.getOrThrow(yield* next(peer.peerId, claims, noSuspicions))
      assert.deepStrictEqual([job.startSlot, job.count], [985, 8])
      yield* record(probeOf(job))
      yield* history.recordProbe(probeOf(job), "answered")
      replaced.push({ slot: 987, root: "0xaa" })
      for (const restarted of [false, true]) {
        if (restarted) yield* unload(peer.peerId)
        const again = Option.getOrThrow(yield* next(peer.peerId, claims, noSuspicions))
        assert.deepStrictEqual([again.startSlot, again.count], [987, 1], `restarted: ${restarted}`)
      }
      const orphan = probeOf({ ...job, startSlot: 987, count: 1 })
      const late = { ...orphan, outcomes: orphan.outcomes.map((outcome) => ({ ...outcome, blockRoot: "0xaa" })) }
      assert.deepStrictEqual(
        yield* record(late),
        Option.some({ counts: { owed: 64, tested: 56, failed: 0 }, recovered: 0 })
      )
      assert.deepStrictEqual(
        yield* record(orphan),
        Option.some({ counts: { owed: 64, tested: 64, failed: 0 }, recovered: 0 })
      )
    }).pipe(seeded, Effect.provide(layer({ blockFilter: () => ({ start: 985, end: 992 }) }, replaced)))
  })

  it.effect("finds out at its start what a reorg replaced while it did not run", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(headSlot * 1000)
      const history = yield* History
      const recorded = probeOf({
        peerId: peer.peerId,
        startSlot: 901,
        count: 92,
        columns: claimOf(statement(8)).columns
      })
      const canonical = {
        ...recorded,
        outcomes: recorded.outcomes.map((outcome) => ({ ...outcome, blockRoot: rootOf(outcome.slot) }))
      }
      const replaced = canonical.outcomes.map((outcome) =>
        outcome.slot === 950 ? { ...outcome, blockRoot: "0xbb" } : outcome
      )
      yield* history.recordProbe({ ...canonical, outcomes: replaced }, "answered")
      const claims = startClaims(claimOf({ ...statement(8, 901) }))
      const job = Effect.gen(function* () {
        const { next } = yield* Sampler
        yield* TestClock.adjust("1 second")
        return Option.getOrThrow(yield* next(peer.peerId, claims, noSuspicions))
      })
      const first = yield* Effect.provide(job, sampler())
      assert.deepStrictEqual([first.startSlot, first.count], [950, 1])
      // It is known from then on: what was tested since is not void again.
      yield* history.recordProbe(
        {
          ...canonical,
          id: "again",
          startedAt: headSlot * 1000 + 2000,
          finishedAt: headSlot * 1000 + 2001,
          outcomes: canonical.outcomes.filter(({ slot }) => slot === 950)
        },
        "answered"
      )
      yield* TestClock.setTime(headSlot * 1000 + 3000)
      const second = yield* Effect.provide(job, sampler())
      assert.notDeepEqual([second.startSlot, second.count], [950, 1])
    }).pipe(seeded, Effect.provide(MemoryHistory.layer))
  )

  it.effect("finds it out after a defect, too", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(headSlot * 1000)
      const history = yield* History
      const columns = claimOf(statement(8)).columns
      const recorded = probeOf({ peerId: peer.peerId, startSlot: 901, count: 92, columns })
      const outcomes = recorded.outcomes.map((outcome) => ({
        ...outcome,
        blockRoot: outcome.slot === 950 ? "0xbb" : rootOf(outcome.slot)
      }))
      yield* history.recordProbe({ ...recorded, outcomes }, "answered")
      const trap = yield* Effect.once(Effect.dieMessage("an injected defect"))
      const trapped = Layer.succeed(History, {
        ...history,
        blocks: (from) => Effect.zipRight(trap, history.blocks(from))
      })
      const job = Effect.gen(function* () {
        const { next } = yield* Sampler
        yield* TestClock.adjust("1 second")
        return yield* next(peer.peerId, startClaims(claimOf(statement(8, 901))), noSuspicions)
      }).pipe(Effect.provide(Layer.provide(sampler(), trapped)))
      assert.deepStrictEqual(
        Option.map(yield* job, ({ count, startSlot }) => [startSlot, count]),
        Option.some([950, 1])
      )
    }).pipe(seeded, Effect.provide(MemoryHistory.layer))
  )

  it.effect("keeps what was tested when a claim grows, and asks for the columns that joined from then on", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(headSlot * 1000)
      const { next, record } = yield* Sampler
      const history = yield* History
      const claims = startClaims(claimOf(statement(4, 950)))
      // 960..992 lies in two tiles: how many jobs it takes depends on where the first ones begin.
      const untested = { owed: 1, tested: 0 }
      for (let turn = 0; untested.tested < untested.owed; turn++) {
        assert.isBelow(turn, 40)
        const probe = probeOf(Option.getOrThrow(yield* next(peer.peerId, claims, noSuspicions)))
        Object.assign(untested, Option.getOrThrow(yield* record(probe)).counts)
        yield* history.recordProbe({ ...probe, id: String(turn) }, "answered")
      }
      const grown = extendClaims(claims, claimOf(statement(8, 950)), 949)
      const job = Option.getOrThrow(yield* next(peer.peerId, grown, noSuspicions))
      assert.isAtLeast(job.startSlot, 981)
      assert.isTrue(job.columns.every((column) => !claims.current.columns.includes(column)))
    }).pipe(Effect.provide(layer()), (test) => seeded(test, 40))
  )
})
