import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Fiber, Layer, Logger, LogLevel, Option, Stream, TestClock } from "effect"
import { layer } from "../../src/chain/ChainCommitments.ts"
import { CommitmentCache } from "../../src/chain/CommitmentCache.ts"
import type { Block } from "../../src/domain/network/Block.ts"
import { Externs } from "../../src/host/Externs.ts"
import { Daemons, describeFailing } from "../../src/runtime/Daemon.ts"
import { makeSimulatedChain } from "./SimulatedChain.ts"

type Query = Externs["Type"]["chainQuery"]

/** Slots up to 301 with a block each; the first with columns is 32. */
const chainOf300 = Effect.tap(makeSimulatedChain(20), (chain) => chain.grow(Array.from({ length: 300 }, () => 1)))

/** A cache over a host that answers as `change` makes it; with what is logged, and the account of the daemons. */
const observed = Effect.fnUntraced(function* (
  change: (query: Query) => Query,
  over: Partial<Pick<Externs["Type"], "chainEvents" | "chainHead">> = {}
) {
  const chain = yield* chainOf300
  const logged: Array<string> = []
  const logger = Logger.make(({ logLevel, message }) => {
    if (LogLevel.greaterThanEqual(logLevel, LogLevel.Info)) logged.push(`${logLevel.label} ${String(message)}`)
  })
  const externs = Layer.effect(
    Externs,
    Effect.map(Externs, (host) => Externs.of({ ...host, ...over, chainQuery: change(host.chainQuery) }))
  ).pipe(Layer.provide(chain.layer))
  const context = yield* runToEnd(
    Layer.build(
      layer({ window: "4096 seconds", mode: "background", pause: 0 }).pipe(
        Layer.provide(externs),
        Layer.provideMerge(Daemons.layer),
        Layer.provide(Logger.replace(Logger.defaultLogger, logger))
      )
    )
  )
  return { chain, cache: Context.get(context, CommitmentCache), daemons: Context.get(context, Daemons), logged }
})

/** So many seconds, one after the other. */
const seconds = (count: number) =>
  Effect.forEach(Array.from({ length: count }), () => TestClock.adjust("1 second"), { discard: true })

/** Runs an effect that sleeps, with the clock that it sleeps by. */
const runToEnd = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.raceFirst(effect, Effect.forever(Effect.zipRight(TestClock.adjust("500 millis"), Effect.yieldNow())))

const bug = new Error("the host has a bug")

const block = {
  slot: 0,
  root: "0x",
  parentRoot: "0x",
  fork: "fulu",
  commitments: [],
  signature: Option.none(),
  payload: "full"
} as const

/** What a question may come to that the types know nothing of. */
const defects: ReadonlyArray<readonly [name: string, query: Query]> = [
  ["dies", () => Effect.die(bug)],
  [
    "throws",
    () => {
      throw bug
    }
  ],
  ["is interrupted", () => Effect.interrupt],
  [
    "gives an answer that breaks when it is used",
    ({ end, start }) =>
      Effect.succeed(
        Array.from({ length: end - start + 1 }, (_, index): Block => ({
          ...block,
          slot: start + index,
          get parentRoot(): string {
            throw bug
          }
        }))
      )
  ]
]

describe("a host whose code has a bug", () => {
  it.scoped("that never answers costs a wait, said in the log, and not the ground truth", () =>
    Effect.gen(function* () {
      let asked = 0
      const { cache, logged } = yield* observed((query) => (range) => (++asked <= 3 ? Effect.never : query(range)))
      yield* seconds(100)
      assert.isBelow((yield* cache.progress).known, 270)
      yield* seconds(300)
      assert.deepInclude(yield* cache.progress, { known: 270, wanted: 270 })
      assert.isTrue(
        logged.some((line) => line.includes("no answer within 2m")),
        logged.join("; ")
      )
    })
  )

  for (const [name, broken] of defects) {
    it.scoped(`that ${name} at one question costs nothing but a line in the log`, () =>
      Effect.forEach([1, 5], (nth) =>
        Effect.gen(function* () {
          let asked = 0
          const { cache, daemons, logged } = yield* observed(
            (query) => (range) => (++asked === nth ? broken(range) : query(range))
          )
          yield* seconds(40)
          assert.deepInclude(yield* cache.progress, { known: 270, wanted: 270 }, `question ${nth}`)
          assert.strictEqual(yield* daemons.failures, 1)
          assert.deepStrictEqual(yield* daemons.failing, [])
          assert.deepStrictEqual(
            logged.filter((line) => line.startsWith("ERROR")),
            ["ERROR asking the chain for blocks failed"]
          )
        }).pipe(Effect.scoped)
      )
    )

    it.scoped(
      `that ${name} at every question is told of, whoever asks gets an error, and all is well once it stops`,
      () =>
        Effect.gen(function* () {
          let isIll = true
          const { cache, chain, daemons, logged } = yield* observed(
            (query) => (range) => (isIll ? broken(range) : query(range))
          )
          yield* seconds(40)
          assert.strictEqual((yield* cache.progress).known, 0)
          const [failing, ...others] = yield* daemons.failing
          assert.match(
            failing === undefined ? "" : describeFailing(failing),
            /^asking the chain for blocks has failed \d+ times in a row and is tried again; the log says why$/
          )
          assert.deepStrictEqual(others, [])
          const range = { start: 200, end: 240 }
          const wanted = [cache.range(range), cache.range(range), Effect.asVoid(cache.confirm(210))]
          const waiting = yield* Effect.forEach(wanted, (question) => Effect.fork(Effect.flip(Effect.asVoid(question))))
          yield* seconds(15)
          for (const fiber of waiting) {
            const exit = yield* Effect.map(Fiber.poll(fiber), Option.getOrThrow)
            assert.strictEqual((yield* exit)._tag, "ExternsError")
          }
          assert.deepStrictEqual(
            logged.map((line) => line.split(":")[0]),
            ["ERROR asking the chain for blocks failed", "WARN ground truth is missing for 14 slots (288 to 301)"]
          )

          isIll = false
          yield* chain.grow([1])
          yield* seconds(40)
          assert.deepInclude(yield* cache.progress, { known: 271, wanted: 271 })
          assert.deepStrictEqual(yield* daemons.failing, [])
          assert.deepStrictEqual(logged.slice(2), ["INFO the chain answers again, and nothing is missing"])
        })
    )
  }

  it.scoped("goes on without the chain's head and events, and says that they are not followed", () =>
    Effect.gen(function* () {
      let isIll = true
      const ill = Effect.suspend(() => (isIll ? Effect.die(bug) : Effect.succeed({ slot: 300, root: "0x01" })))
      const { cache, daemons } = yield* observed((query) => query, {
        chainHead: ill,
        chainEvents: Stream.concat(
          Stream.map(Stream.fromEffect(ill), (head) => ({ _tag: "Head" as const, head })),
          Stream.never
        )
      })
      yield* seconds(40)
      assert.deepStrictEqual(
        (yield* daemons.failing).map(({ name }) => name),
        ["following of the chain"]
      )
      assert.strictEqual((yield* Effect.flip(cache.range({ start: 40, end: 41 })))._tag, "ExternsError")
      isIll = false
      yield* seconds(180)
      assert.deepStrictEqual(yield* daemons.failing, [])
      assert.strictEqual((yield* cache.progress).known, 269)
    })
  )
})
