import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Option, Stream, TestClock } from "effect"
import { CommitmentCache } from "../../src/commitments/CommitmentCache.ts"
import type { ClaimParts } from "../../src/domain/Claim.ts"
import { extendClaims, startClaims } from "../../src/domain/ClaimHistory.ts"
import type { Job, Probe } from "../../src/domain/Job.ts"
import { History } from "../../src/history/History.ts"
import * as MemoryHistory from "../../src/history/MemoryHistory.ts"
import { Externs } from "../../src/host/Externs.ts"
import { Sampler, type SamplerOptions } from "../../src/sampler/Sampler.ts"
import { chain, claimOf, peer, statement } from "../peers/FakeWorld.ts"

const options: SamplerOptions = {
  maxColumns: 8,
  maxSlots: 8,
  maxCombinations: 64,
  slotBias: "uniform",
  preferUntested: true,
  retryFailures: true,
  retryAfterMs: 1000,
  historyWindowMs: 500_000,
  blockFilter: () => ({ start: 0, end: Infinity }),
  margins: { headSlots: 8, retentionEpochs: 2 }
}

/** Every slot up to the head, 1000, has columns; the clock stands there too. */
const headSlot = 1000

const layer = (over: Partial<SamplerOptions> = {}) =>
  Sampler.layer({ ...options, ...over }).pipe(
    Layer.provide(Layer.mock(Externs, { chain, chainEvents: Stream.never })),
    Layer.provide(
      Layer.mock(CommitmentCache, {
        slotsWithColumns: ({ end, start }) =>
          Array.from({ length: Math.max(0, Math.min(end, headSlot) - start + 1) }, (_, index) => start + index),
        headSlot: Effect.succeed(headSlot)
      })
    ),
    Layer.provideMerge(MemoryHistory.layer)
  )

const probeOf = (job: Job): Probe => ({
  id: `${job.startSlot}`,
  job,
  startedAt: 900_000,
  finishedAt: 900_001,
  timings: { open: 1, firstByte: 1, total: 1 },
  requests: 1,
  bytes: 1,
  outcomes: Array.from({ length: job.count }, (_, index) => job.startSlot + index).flatMap((slot) =>
    job.columns.map((column) => ({ slot, column, outcome: "success" as const, blockRoot: "0x", blobs: 1 }))
  ),
  findings: []
})

/** The lowest and the highest slot of 200 jobs, and all columns asked for. */
const reach = (parts: Omit<ClaimParts, "nodeId">) =>
  Effect.gen(function* () {
    yield* TestClock.setTime(headSlot * 1000)
    const { next } = yield* Sampler
    const jobs = yield* Effect.replicateEffect(next(peer.peerId, startClaims(claimOf(parts))), 200)
    const found = jobs.flatMap(Option.toArray)
    return {
      lowest: Math.min(...found.map(({ startSlot }) => startSlot)),
      highest: Math.max(...found.map(({ count, startSlot }) => startSlot + count - 1)),
      jobs: found.length
    }
  })

describe("Sampler", () => {
  it.effect("asks from the history window's edge to the margin below the head", () =>
    Effect.gen(function* () {
      const { highest, lowest } = yield* reach(statement(8))
      assert.isTrue(lowest >= 500 && lowest < 520, String(lowest))
      assert.isTrue(highest <= 992 && highest > 980, String(highest))
    }).pipe(Effect.provide(layer()))
  )

  it.effect("never asks below the earliest available slot or above the peer's own head", () =>
    Effect.gen(function* () {
      const { highest, lowest } = yield* reach({ ...statement(8, 700), headSlot: 900 })
      assert.isAtLeast(lowest, 700)
      assert.isAtMost(highest, 892)
      assert.strictEqual((yield* reach(statement(8, 995))).jobs, 0)
    }).pipe(Effect.provide(layer()))
  )

  it.effect("keeps to the block filter", () =>
    Effect.gen(function* () {
      const { highest, lowest } = yield* reach(statement(8))
      assert.isAtLeast(lowest, 800)
      assert.isAtMost(highest, 810)
    }).pipe(Effect.provide(layer({ blockFilter: (head) => ({ start: head - 200, end: head - 190 }) })))
  )

  it.effect("asks for a column that joined the claim only from the slot at which it did", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(headSlot * 1000)
      const { next } = yield* Sampler
      const before = claimOf(statement(4))
      const claims = extendClaims(startClaims(before), claimOf(statement(12)), 900)
      const jobs = (yield* Effect.replicateEffect(next(peer.peerId, claims), 300)).flatMap(Option.toArray)
      const early = jobs.filter(({ count, startSlot }) => startSlot + count <= 900)
      assert.isAbove(early.length, 50)
      assert.isTrue(early.every(({ columns }) => columns.every((column) => before.columns.includes(column))))
      assert.isTrue(jobs.some(({ columns, startSlot }) => startSlot >= 900 && columns.length === 8))
    }).pipe(Effect.provide(layer()))
  )

  it.effect("knows from the history what was tested before it started", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(headSlot * 1000)
      const { load, next, record, unload } = yield* Sampler
      const history = yield* History
      const claims = startClaims(claimOf({ ...statement(8, 985) }))
      const job = Option.getOrThrow(yield* next(peer.peerId, claims))
      assert.strictEqual(job.columns.length, 8)
      yield* record(probeOf(job))
      yield* history.recordProbe(probeOf(job), "answered")
      yield* unload(peer.peerId)
      yield* load(peer.peerId)
      const tested = new Set(probeOf(job).outcomes.map(({ slot }) => slot))
      const later = yield* next(peer.peerId, claims)
      if (tested.size < 8) assert.isFalse(tested.has(Option.getOrThrow(later).startSlot))
      assert.strictEqual((yield* history.coverage(peer.peerId, 0)).length, tested.size)
    }).pipe(Effect.provide(layer()))
  )
})
