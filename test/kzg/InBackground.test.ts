import { assert, describe, it } from "@effect/vitest"
import { Deferred, Duration, Effect, Fiber, Layer } from "effect"
import { KzgThreads } from "../../src/kzg/KzgThreads.ts"
import { Verifier, type VerifyOptions } from "../../src/kzg/Verifier.ts"
import * as WorkerVerifier from "../../src/kzg/WorkerVerifier.ts"
import { eventually } from "../Eventually.ts"
import { vector } from "./Columns.ts"

const entry = new URL("../../dist/kzg/KzgWorker.js", import.meta.url)
/** By their limits one tells apart who waits for a turn. */
const limits = { callLimit: "50 seconds", lastLimit: "40 seconds" } as const

/** One real thread, and who asked for a turn, and who had one, in their order. `before`: what runs before all in the background. */
const watchedThreads = (before: Effect.Effect<void> = Effect.void) => {
  const asked: Array<string> = []
  const had: Array<string> = []
  const layer = Layer.effect(
    KzgThreads,
    Effect.map(KzgThreads, (threads) => {
      const log = <A, E>(name: string, run: Effect.Effect<A, E>) => {
        asked.push(name)
        return Effect.zipRight(
          Effect.zipRight(
            Effect.sync(() => void had.push(name)),
            name === "background" ? before : Effect.void
          ),
          run
        )
      }
      return KzgThreads.of({
        ...threads,
        inTurn: (run) => Effect.suspend(() => threads.inTurn(log("first", run))),
        lastInTurn: (run, within) =>
          Effect.suspend(() =>
            threads.lastInTurn(log(Duration.toSeconds(within) === 40 ? "last" : "background", run), within)
          )
      })
    })
  ).pipe(Layer.provide(KzgThreads.layer({ size: 1, entry })))
  return { asked, had, layer }
}

describe("verifying in the background", () => {
  it.scopedLive("shares batches, waits for all probes, and only for a little of what comes last", () =>
    Effect.gen(function* () {
      const { asked, had, layer } = watchedThreads()
      yield* Effect.gen(function* () {
        const threads = yield* KzgThreads
        const verifier = yield* Verifier
        const done: Array<string> = []
        const ask = (name: string, columns: number, options: VerifyOptions) =>
          verifier
            .verify(
              Array.from({ length: columns }, () => vector("fulu", 0)),
              options
            )
            .pipe(
              Effect.tap(() => Effect.sync(() => void done.push(name))),
              Effect.fork
            )
        const gate = yield* Deferred.make<void>()
        const busy = yield* Effect.fork(threads.inTurn(Deferred.await(gate)))
        yield* eventually(() => had.length === 1)
        // Three batches of eight columns with six cells each, of which the first waits before the others come.
        const last = yield* ask("last", 24, { isLast: true })
        yield* eventually(() => asked.includes("last"))
        const columns = yield* Effect.forEach([1, 1, 1, 2, 1], (count) =>
          ask("background", count, { inBackground: true })
        )
        yield* eventually(() => asked.includes("background"))
        const probe = yield* ask("probe", 2, {})
        yield* eventually(() => asked.filter((name) => name === "first").length === 2)
        assert.deepStrictEqual(had, ["first"])
        yield* Deferred.succeed(gate, undefined)
        yield* Fiber.join(busy)
        const verdicts = yield* Effect.forEach([probe, ...columns, last], Fiber.join)
        assert.deepStrictEqual(
          verdicts.map((verdicts) => verdicts.map(({ _tag }) => _tag)),
          [2, 1, 1, 1, 2, 1, 24].map((count) => Array.from({ length: count }, () => "Valid"))
        )
        assert.deepStrictEqual(had, ["first", "first", "last", "background", "last", "last"])
        assert.deepStrictEqual(done, ["probe", ...columns.map(() => "background"), "last"])
      }).pipe(Effect.provide(Layer.provideMerge(WorkerVerifier.layer(limits), layer)))
    })
  )

  it.scopedLive("has one batch on the threads at a time, with others' in between", () =>
    Effect.gen(function* () {
      const probeWaits = yield* Deferred.make<void>()
      const { asked, had, layer } = watchedThreads(Deferred.await(probeWaits))
      yield* Effect.gen(function* () {
        const verifier = yield* Verifier
        // Two batches, of 74 columns at most: what one has more than a batch waits for a turn of its own.
        const many = Array.from({ length: 80 }, () => vector("fulu", 0))
        const background = yield* Effect.fork(verifier.verify(many, { inBackground: true }))
        yield* eventually(() => had.length > 0)
        const probe = yield* Effect.fork(verifier.verify([vector("fulu", 63)]))
        yield* eventually(() => asked.includes("first"))
        yield* Deferred.succeed(probeWaits, undefined)
        yield* Fiber.join(probe)
        yield* Fiber.join(background)
        assert.deepStrictEqual(had, ["background", "first", "background"])
      }).pipe(Effect.provide(Layer.provideMerge(WorkerVerifier.layer(limits), layer)))
    })
  )
})
