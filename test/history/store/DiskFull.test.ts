import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Ref } from "effect"
import { History } from "../../../src/history/store/History.ts"
import { layer } from "../../../src/history/store/SqliteHistory.ts"
import { connect, keepAll, network, outcome, probe, rows, temporaryFolder } from "./Fixture.ts"
import { eventually } from "../../Eventually.ts"

const bulky = (n: number) =>
  probe(
    `p${n}`,
    `peer${n % 5}`,
    Array.from({ length: 16 }, (_, column) =>
      outcome(n * 200, column, "missing", `${column} of ${n}: ${"x".repeat(200)}`)
    )
  )

/** Looks at the state until it is this one. */
const untilState = (wanted: "recording" | "paused") =>
  Effect.flatMap(History, (history) =>
    eventually(Effect.map(history.state, ({ state }) => assert.strictEqual(state, wanted)))
  )

describe("a full disk", () => {
  it.scopedLive("pauses recording and says so, loses nothing, and goes on by itself once there is room", () =>
    Effect.gen(function* () {
      const path = join(yield* temporaryFolder, "history.db")
      const probes = 600
      const paused = yield* Effect.gen(function* () {
        const history = yield* History
        const handedIn = yield* Ref.make(0)
        const recording = yield* Effect.fork(
          Effect.forEach(
            Array.from({ length: probes }, (_, n) => bulky(n)),
            (probe) =>
              Effect.zipRight(
                history.recordProbe(probe, "answered"),
                Ref.update(handedIn, (n) => n + 1)
              )
          )
        )
        yield* untilState("paused")
        // Until the queue is full, too.
        yield* eventually(Effect.map(history.state, ({ queued }) => queued > 50))
        const waiting = yield* history.state
        const stuck = yield* Ref.get(handedIn)
        assert.isBelow(stuck, probes, "whoever records waits")
        assert.include((yield* Effect.flip(history.flush)).message, "the disk is full: make room")
        assert.strictEqual(yield* Ref.get(handedIn), stuck)
        assert.isBelow((yield* history.totals).probes, stuck, "reading goes on")

        // It may be full again before anybody has seen that it records.
        yield* makingRoom(path, untilState("recording"))
        yield* makingRoom(path, Fiber.join(recording))
        yield* makingRoom(path, history.flush)
        assert.deepStrictEqual(yield* history.state, { state: "recording", reason: null, queued: 0 })
        return waiting
      }).pipe(Effect.provide(layer({ path, network, retention: keepAll, maxBytes: 1_500_000 })))
      assert.strictEqual(paused.state, "paused")
      assert.include(paused.reason, `${path}: the disk is full: make room`)
      assert.isAbove(paused.queued, 0)
      const ids = (yield* rows(path, "SELECT uuid FROM probes ORDER BY id")).map((row) => Object.values(row)[0])
      assert.deepStrictEqual(
        ids,
        Array.from({ length: probes }, (_, n) => `p${n}`),
        "all of them, once, in order"
      )
    })
  )
})

/** Frees pages for others to use. It waits for nobody: the one to wait for is this very process. */
const makeRoom = (path: string) =>
  Effect.scoped(
    Effect.flatMap(connect(path, false), (other) =>
      Effect.zipRight(other.unsafe("PRAGMA busy_timeout = 0"), other.unsafe("DELETE FROM failures"))
    )
  )

/** Makes room as often as the file is full again, until `done`. */
const makingRoom = <A, E, R>(path: string, done: Effect.Effect<A, E, R>) =>
  Effect.race(
    Effect.retry(done, { times: 20 }),
    Effect.forever(Effect.zipRight(Effect.ignore(makeRoom(path)), Effect.sleep("100 millis")))
  )
