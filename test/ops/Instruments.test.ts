import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Logger, Metric, Option, Schedule, TestClock } from "effect"
import * as Metrics from "../../src/domain/metrics/Metrics.ts"
import { makeRecorder, WriteError } from "../../src/history/store/Recorder.ts"
import { measured } from "../../src/host/beacon-api/BeaconMetrics.ts"

type Endpoint = (typeof Metrics.beaconEndpoints)[number]

describe("what is counted where it happens", () => {
  it.scoped("a database that fails, is written again, and does not take a record", () =>
    Effect.gen(function* () {
      const counts = Effect.map(
        Effect.all([Metrics.historyRecords, Metrics.historyRecordsLost].map((counter) => Metric.value(counter))),
        (values) => values.map(({ count }) => count)
      )
      const batches = Effect.map(Metric.value(Metrics.historyWriteSeconds), ({ count }) => count)
      const [records = 0, lost = 0] = yield* counts
      const before = yield* batches
      const attempts: Array<string> = []
      const paused: Array<number> = []
      const recorder = yield* makeRecorder<string>({
        weigh: () => 1,
        capacity: 10,
        write: (batch) =>
          Effect.gen(function* () {
            attempts.push(batch.join())
            paused.push((yield* Metric.value(Metrics.historyPaused)).value)
            if (attempts.length < 3) return yield* new WriteError({ reason: "full", passing: true })
            if (batch.includes("bad")) return yield* new WriteError({ reason: "bad", passing: false })
          })
      })
      yield* Effect.forEach(["a", "bad", "c"], recorder.record)
      const flushing = yield* Effect.fork(recorder.flush)
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(flushing)
      assert.deepStrictEqual(paused.slice(0, 3), [0, 1, 1])
      assert.strictEqual((yield* Metric.value(Metrics.historyPaused)).value, 0)
      assert.deepStrictEqual(yield* counts, [records + 2, lost + 1])
      assert.strictEqual((yield* batches) - before, attempts.length)
      assert.strictEqual((yield* Metric.value(Metrics.historyQueueDepth)).value, 0)
    }).pipe(Effect.provide(Logger.remove(Logger.defaultLogger)))
  )

  it.effect("requests to a beacon node, by endpoint and not by slot or root, each attempt", () =>
    Effect.gen(function* () {
      const counted = (endpoint: Endpoint) =>
        Effect.map(
          Effect.all(
            (["ok", "not_found", "failed"] as const).map((outcome) =>
              Metric.value(Metrics.beaconRequests.of({ endpoint, outcome }))
            )
          ),
          (values) => values.map(({ count }) => count)
        )
      const paths: ReadonlyArray<readonly [string, Endpoint]> = [
        ["/eth/v1/beacon/genesis", "genesis"],
        ["/eth/v1/config/spec", "spec"],
        ["/eth/v1/beacon/headers/head", "headers"],
        [`/eth/v1/beacon/headers/0x${"ab".repeat(32)}`, "headers"],
        ["/eth/v2/beacon/blocks/123456", "blocks"],
        ["/eth/v1/beacon/blinded_blocks/123456", "blinded_blocks"],
        ["/eth/v1/beacon/states/head/finality_checkpoints", "finality_checkpoints"],
        ["/eth/v1/node/syncing", "syncing"],
        ["/eth/v1/events?topics=head,chain_reorg", "events"],
        ["/eth/v1/node/identity", "identity"],
        ["/eth/v1/node/version", "other"]
      ]
      const outcome = (found: Option.Option<string>) => (Option.isSome(found) ? "ok" : "not_found")
      for (const [path, endpoint] of paths) {
        const [ok = 0, notFound = 0, failed = 0] = yield* counted(endpoint)
        yield* measured(path, outcome)(Effect.succeedSome("it"))
        yield* measured(path, outcome)(Effect.succeedNone)
        let attempts = 0
        yield* measured(
          path,
          outcome
        )(Effect.suspend(() => (++attempts < 3 ? Effect.fail("no") : Effect.succeedNone))).pipe(
          Effect.retry(Schedule.recurs(5))
        )
        const slow = yield* Effect.fork(measured(path, outcome)(Effect.delay(Effect.succeedNone, "1 hour")))
        yield* TestClock.adjust("1 minute")
        yield* Fiber.interrupt(slow)
        assert.deepStrictEqual(yield* counted(endpoint), [ok + 1, notFound + 2, failed + 2], path)
      }
    })
  )
})
