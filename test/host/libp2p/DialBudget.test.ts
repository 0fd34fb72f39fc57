import { assert, describe, it } from "@effect/vitest"
import { Cause, Deferred, Duration, Effect, Either, Exit, Fiber, Metric, Option, Scope, TestClock } from "effect"
import { dialsWaiting } from "../../../src/domain/metrics/Metrics.ts"
import { ProbeTimeout } from "../../../src/domain/probe/Outcome.ts"
import type { DialError } from "../../../src/host/Host.ts"
import { makeDialBudget } from "../../../src/host/libp2p/DialBudget.ts"

const silence = new ProbeTimeout({ stage: "dial", afterMs: 8_000 })

/** A budget over dials that are done when the test says so, and what became of them. */
const observed = (atOnce: number) =>
  Effect.gen(function* () {
    const connections = new Map<string, string>()
    const begun: Array<string> = []
    const interrupted: Array<string> = []
    const ends = new Map<string, Deferred.Deferred<string, DialError>>()
    const budget = yield* makeDialBudget<string>({
      atOnce,
      longestWait: Duration.minutes(10),
      existing: (peerId) => Option.fromNullable(connections.get(peerId))
    })
    const connect = (peerId: string) =>
      budget.connect(
        peerId,
        Effect.gen(function* () {
          begun.push(peerId)
          const end = yield* Deferred.make<string, DialError>()
          ends.set(peerId, end)
          return yield* Deferred.await(end)
        }).pipe(Effect.onInterrupt(() => Effect.sync(() => interrupted.push(peerId))))
      )
    /** Whoever waits now is at rest. */
    const ask = (peerId: string) => Effect.zipLeft(Effect.fork(connect(peerId)), settled)
    const end = (peerId: string, exit: Exit.Exit<string, DialError>) =>
      Effect.suspend(() => {
        const deferred = ends.get(peerId)
        return deferred === undefined ? Effect.dieMessage(`${peerId} is not dialled`) : Deferred.done(deferred, exit)
      }).pipe(Effect.zipRight(settled))
    return { ...budget, connections, begun, interrupted, connect, ask, end }
  })

const settled = Effect.repeatN(Effect.yieldNow(), 20)
const waiting = Effect.map(Metric.value(dialsWaiting), ({ value }) => value)

describe("DialBudget", () => {
  it.scoped("dials a few at once, and the others in the order in which they came", () =>
    Effect.gen(function* () {
      const { ask, begun, end } = yield* observed(2)
      const before = yield* waiting
      const fibers = yield* Effect.forEach(["a", "b", "c", "d", "e"], ask)
      assert.deepStrictEqual(begun, ["a", "b"])
      assert.strictEqual((yield* waiting) - before, 3)
      yield* end("b", Exit.fail(silence))
      assert.deepStrictEqual(begun, ["a", "b", "c"])
      // A newcomer does not overtake those who wait.
      const late = yield* ask("f")
      yield* end("a", Exit.succeed("to a"))
      yield* end("c", Exit.succeed("to c"))
      assert.deepStrictEqual(begun, ["a", "b", "c", "d", "e"])
      yield* end("d", Exit.succeed("to d"))
      yield* end("e", Exit.succeed("to e"))
      yield* end("f", Exit.succeed("to f"))
      assert.strictEqual((yield* waiting) - before, 0)
      const results = yield* Effect.forEach([...fibers, late], (fiber) => Effect.either(Fiber.join(fiber)))
      assert.deepStrictEqual(
        results,
        ["a", "b", "c", "d", "e", "f"].map((peer) => (peer === "b" ? Either.left(silence) : Either.right(`to ${peer}`)))
      )
    })
  )

  it.scoped("dials a peer once, however many ask, and again when that dial has ended", () =>
    Effect.gen(function* () {
      const { ask, begun, end } = yield* observed(2)
      const both = yield* Effect.forEach(["a", "a"], ask)
      assert.deepStrictEqual(begun, ["a"])
      yield* end("a", Exit.fail(silence))
      assert.deepStrictEqual(yield* Effect.forEach(both, Fiber.await), [Exit.fail(silence), Exit.fail(silence)])
      const again = yield* ask("a")
      assert.deepStrictEqual(begun, ["a", "a"])
      yield* end("a", Exit.succeed("to a"))
      assert.strictEqual(yield* Fiber.join(again), "to a")
    })
  )

  it.scoped("goes on while anyone waits, and gives the turn to the next when no one does", () =>
    Effect.gen(function* () {
      const { ask, begun, end, interrupted } = yield* observed(1)
      const before = yield* waiting
      const [first, second] = [yield* ask("a"), yield* ask("a")]
      const inLine = yield* ask("b")
      const last = yield* ask("c")
      yield* Fiber.interrupt(first)
      assert.deepStrictEqual(interrupted, [])
      // Who gives up in the line leaves it; nothing was begun for it.
      yield* Fiber.interrupt(inLine)
      yield* Fiber.interrupt(second)
      yield* settled
      assert.deepStrictEqual([begun, interrupted], [["a", "c"], ["a"]])
      assert.strictEqual((yield* waiting) - before, 0)
      yield* end("c", Exit.succeed("to c"))
      assert.strictEqual(yield* Fiber.join(last), "to c")
    })
  )

  it.scoped("loses no turn to those who give up at the moment when theirs comes", () =>
    Effect.gen(function* () {
      const { ask, begun, end } = yield* observed(1)
      yield* ask("a")
      const next = yield* ask("b")
      // Without a pause between the two.
      yield* Effect.zipRight(end("a", Exit.succeed("to a")), Fiber.interrupt(next))
      const [holder, heir] = [yield* ask("c"), yield* ask("d")]
      yield* Fiber.interruptFork(holder)
      yield* Fiber.interruptFork(heir)
      yield* settled
      yield* ask("e")
      assert.strictEqual(begun.at(-1), "e")
    })
  )

  it.scoped("waiting is not dialling: a turn that is long in coming is no one's timeout, until it is given up", () =>
    Effect.gen(function* () {
      const budget = yield* makeDialBudget<string>({
        atOnce: 1,
        longestWait: Duration.minutes(1),
        existing: Option.none
      })
      const connect = (peerId: string, takes: Duration.DurationInput) =>
        Effect.forkScoped(
          budget.connect(
            peerId,
            Effect.succeed("connected").pipe(
              Effect.delay(takes),
              Effect.timeoutFail({ duration: "8 seconds", onTimeout: () => silence })
            )
          )
        )
      // Nine dials of 8 s are more than a minute.
      const dead = yield* Effect.forEach([1, 2, 3, 4, 5, 6, 7, 8, 9], (n) => connect(`dead ${n}`, Duration.infinity))
      const honest = yield* connect("honest", "1 second")
      yield* settled
      yield* TestClock.adjust("50 seconds")
      const patient = yield* connect("patient", "1 second")
      yield* TestClock.adjust("30 seconds")
      const ends = yield* Effect.forEach([...dead, honest, patient], (fiber) => Effect.either(Fiber.join(fiber)))
      assert.deepStrictEqual(
        ends.map(Either.match({ onLeft: ({ _tag }) => _tag, onRight: (connection) => connection })),
        [...Array.from({ length: 8 }, () => "ProbeTimeout"), "NotDialled", "NotDialled", "connected"]
      )
      assert.include(String(ends[9]), "its turn did not come within 1m")
    })
  )

  it.scoped("needs no turn for a peer that is connected, or comes by itself meanwhile", () =>
    Effect.gen(function* () {
      const { arrived, ask, begun, connect, connections, end } = yield* observed(1)
      connections.set("here", "to here")
      assert.strictEqual(yield* connect("here"), "to here")
      yield* ask("a")
      const inLine = yield* ask("b")
      yield* arrived("b")
      connections.set("b", "from b")
      yield* arrived("b")
      assert.strictEqual(yield* Fiber.join(inLine), "from b")
      // The dial under way ends by itself, and no turn was lost.
      connections.set("a", "from a")
      yield* arrived("a")
      connections.delete("a")
      yield* ask("c")
      yield* ask("a")
      assert.deepStrictEqual(begun, ["a"])
      yield* end("a", Exit.succeed("to a"))
      assert.deepStrictEqual(begun, ["a", "c"])
    })
  )

  it.scoped("gives a defect of a dial to whoever waits for it, and goes on", () =>
    Effect.gen(function* () {
      const { ask, end } = yield* observed(1)
      const broken = yield* ask("a")
      const next = yield* ask("b")
      yield* end("a", Exit.die("a bug"))
      assert.deepStrictEqual(yield* Fiber.await(broken), Exit.failCause(Cause.die("a bug")))
      yield* end("b", Exit.succeed("to b"))
      assert.strictEqual(yield* Fiber.join(next), "to b")
    })
  )

  it.scoped("leaves no one waiting when it ends", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { ask, connect, interrupted } = yield* Scope.extend(observed(1), scope)
      const both = yield* Effect.forEach(["a", "b"], ask)
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual(interrupted, ["a"])
      const errors = yield* Effect.forEach(both, (fiber) => Effect.flip(Fiber.join(fiber)))
      errors.push(yield* Effect.flip(connect("c")))
      for (const error of errors) assert.include(String(error), "not dialled: the node is being stopped")
    })
  )
})
