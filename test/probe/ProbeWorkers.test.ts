import { assert, describe, it } from "@effect/vitest"
import { Clock, Deferred, Effect, Fiber, Metric, TestClock } from "effect"
import { workersWaiting } from "../../src/domain/metrics/Metrics.ts"
import { type Cut, ProbeTurn } from "../../src/probe/ProbeTurn.ts"
import { ProbeWorkers } from "../../src/probe/ProbeWorkers.ts"

const settled = Effect.repeatN(Effect.yieldNow({ priority: 1 }), 9)

describe("workers", () => {
  it.effect("let so many probes run at once, and show how many wait", () =>
    Effect.gen(function* () {
      const before = (yield* Metric.value(workersWaiting)).value
      const waiting = Effect.map(Metric.value(workersWaiting), ({ value }) => value - before)
      const workers = yield* ProbeWorkers
      const gate = yield* Effect.makeLatch(false)
      const running = new Set<string>()
      const probe = (peerId: string) =>
        workers.run(
          peerId,
          Effect.zipRight(
            Effect.sync(() => running.add(peerId)),
            gate.await
          )
        )
      const fibers = yield* Effect.forEach(["a", "b", "c", "d", "e"], (peerId) => Effect.fork(probe(peerId)))
      yield* settled
      assert.strictEqual(running.size, 2)
      assert.strictEqual(yield* waiting, 3)
      yield* Effect.forEach(fibers.slice(0, 1), Fiber.interrupt)
      yield* Effect.forEach(fibers.slice(4), Fiber.interrupt)
      yield* settled
      assert.strictEqual(running.size, 3, "whom one makes room for")
      assert.strictEqual(yield* waiting, 1)
      yield* gate.open
      yield* Effect.forEach(fibers.slice(1, 4), Fiber.join)
      assert.strictEqual(yield* waiting, 0)
      assert.strictEqual(
        yield* Effect.exit(workers.run("f", Effect.die("bug"))).pipe(Effect.map(({ _tag }) => _tag)),
        "Failure"
      )
      assert.strictEqual(yield* waiting, 0)
    }).pipe(Effect.provide(ProbeWorkers.layer(2)))
  )

  it.effect("have one for strangers, and only while nobody else waits", () =>
    Effect.gen(function* () {
      const workers = yield* ProbeWorkers
      const done: Array<string> = []
      const probe = (name: string, isStranger: boolean) =>
        Effect.fork(
          workers.run(
            name,
            Effect.zipRight(
              Effect.sleep("1 second"),
              Effect.sync(() => done.push(name))
            ),
            isStranger
          )
        )
      for (const name of ["s1", "s2", "s3"]) yield* probe(name, true)
      for (const name of ["a", "b", "c"]) yield* probe(name, false)
      yield* TestClock.adjust("1 second")
      assert.sameMembers(done, ["s1", "a"])
      yield* TestClock.adjust("1 second")
      assert.sameMembers(done, ["s1", "a", "b", "c"])
      yield* TestClock.adjust("1 second")
      assert.sameMembers(done, ["s1", "a", "b", "c", "s2"])
      yield* TestClock.adjust("1 second")
      assert.sameMembers(done, ["s1", "a", "b", "c", "s2", "s3"])
    }).pipe(Effect.provide(ProbeWorkers.layer(2)))
  )

  it.effect("lose none, in whatever moment one that waits is interrupted", () =>
    Effect.gen(function* () {
      const { run } = yield* ProbeWorkers
      for (let moment = 0; moment < 12; moment++) {
        const gate = yield* Effect.makeLatch(false)
        const holders = yield* Effect.forEach(["a", "b"], () => Effect.fork(run("peer", gate.await)))
        yield* settled
        const waiters = yield* Effect.forEach(["c", "d", "e"], () => Effect.fork(run("peer", Effect.void)))
        yield* settled
        yield* gate.open
        for (let step = 0; step < moment; step++) yield* Effect.yieldNow()
        yield* Effect.forEach(waiters, Fiber.interruptFork)
        yield* Effect.forEach(holders, Fiber.join)
        yield* Effect.forEach(waiters, Fiber.await)
        const both = yield* Effect.forEach(["f", "g"], () => Effect.fork(run("peer", Effect.never)))
        yield* settled
        const third = yield* Effect.fork(run("peer", Effect.void))
        yield* settled
        assert.isNull(third.unsafePoll(), `after moment ${moment} there are more workers than two`)
        yield* Fiber.interruptAll(both)
        yield* Fiber.join(third)
      }
    }).pipe(Effect.provide(ProbeWorkers.layer(2)))
  )
})

/** Probes of these peers, which ask for so many bytes and wait until they are told, or cut. */
const stage = Effect.gen(function* () {
  const { run } = yield* ProbeWorkers
  const asking = new Set<string>()
  const cut: Array<readonly [string, Cut]> = []
  const ends = new Map<string, Deferred.Deferred<void>>()
  return {
    asking,
    cut,
    begin: Effect.fnUntraced(function* (peerId: string, bytes = 0) {
      const end = yield* Deferred.make<void>()
      ends.set(peerId, end)
      const probe = Effect.gen(function* () {
        const turn = yield* ProbeTurn
        yield* turn.asking(bytes, () =>
          Effect.gen(function* () {
            asking.add(peerId)
            turn.waits(yield* Clock.currentTimeMillis)
            const why = yield* Effect.raceFirst(Effect.as(Deferred.await(end), undefined), turn.cut)
            turn.heard(yield* Clock.currentTimeMillis, 0)
            if (why !== undefined) cut.push([peerId, why])
            asking.delete(peerId)
          })
        )
      })
      const fiber = yield* Effect.fork(run(peerId, probe))
      yield* settled
      return fiber
    }),
    end: (peerId: string) =>
      Effect.zipRight(
        Effect.suspend(() => Deferred.succeed(ends.get(peerId) ?? assert.fail(), undefined)),
        settled
      ),
    /** Its peer sends so many bytes a second for so many seconds. */
    streaming: Effect.fnUntraced(function* (peerId: string, bytesPerSecond: number, seconds: number) {
      const probe = Effect.gen(function* () {
        const turn = yield* ProbeTurn
        yield* turn.asking(0, () =>
          Effect.gen(function* () {
            asking.add(peerId)
            for (let second = 0; second < seconds; second++) {
              turn.waits(yield* Clock.currentTimeMillis)
              yield* Effect.sleep("1 second")
              turn.heard(yield* Clock.currentTimeMillis, bytesPerSecond)
            }
            asking.delete(peerId)
          })
        )
      })
      const fiber = yield* Effect.fork(run(peerId, probe))
      yield* settled
      return fiber
    })
  }
})

describe("a slow peer", () => {
  it.effect("gives its worker to others after two seconds, goes on, and begins there the next time", () =>
    Effect.gen(function* () {
      const { asking, begin, cut, end } = yield* stage
      const slow = yield* begin("slow")
      yield* begin("fast")
      assert.deepStrictEqual([...asking], ["slow"])
      yield* TestClock.adjust("1999 millis")
      assert.deepStrictEqual([...asking], ["slow"])
      yield* TestClock.adjust("100 millis")
      assert.deepStrictEqual([...asking], ["slow", "fast"])
      yield* end("slow")
      yield* Fiber.join(slow)
      assert.isEmpty(cut)
      // It waits for no worker now, and takes none from those that do.
      yield* begin("slow")
      assert.deepStrictEqual([...asking], ["fast", "slow"])
      yield* end("slow")
      // It was not slow this time.
      yield* begin("slow")
      assert.deepStrictEqual([...asking], ["fast"])
    }).pipe(Effect.provide(ProbeWorkers.layer(1)))
  )

  it.effect("is none while it sends at a fair rate, however long that takes", () =>
    Effect.gen(function* () {
      const { asking, begin, streaming } = yield* stage
      yield* streaming("large", 300_000, 30)
      yield* begin("next")
      yield* TestClock.adjust("29 seconds")
      assert.deepStrictEqual([...asking], ["large"])
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual([...asking], ["next"])
    }).pipe(Effect.provide(ProbeWorkers.layer(1)))
  )

  it.effect("that drips does not stop anyone: whoever is in the slow lane for the longest is cut when it is full", () =>
    Effect.gen(function* () {
      const { asking, begin, cut } = yield* stage
      for (const name of ["a", "b", "c", "d"]) {
        yield* begin(name)
        yield* TestClock.adjust("2100 millis")
      }
      assert.deepStrictEqual(cut, [
        ["a", "room"],
        ["b", "room"]
      ])
      assert.deepStrictEqual([...asking], ["c", "d"])
      yield* begin("honest")
      assert.isTrue(asking.has("honest"))
    }).pipe(Effect.provide(ProbeWorkers.layer(1, { slowLane: 2 })))
  )

  it.effect("may take a minute over all that it is asked, and no longer", () =>
    Effect.gen(function* () {
      const { begin, cut } = yield* stage
      const slow = yield* begin("slow")
      yield* TestClock.adjust("59 seconds")
      assert.isEmpty(cut)
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(slow)
      assert.deepStrictEqual(cut, [["slow", "time"]])
    }).pipe(Effect.provide(ProbeWorkers.layer(1)))
  )
})

describe("memory", () => {
  const limits = { bytes: 100, bytesPerProbe: 60 }

  it.effect("is taken before anything is asked, waited for, and given back", () =>
    Effect.gen(function* () {
      const { asking, begin, end } = yield* stage
      yield* begin("a", 50)
      yield* begin("b", 50)
      const third = yield* begin("c", 50)
      yield* begin("d", 10)
      assert.deepStrictEqual([...asking], ["a", "b"])
      yield* end("a")
      assert.deepStrictEqual([...asking], ["b", "c"], "the first that waits is not passed by")
      yield* Fiber.interrupt(third)
      yield* settled
      assert.deepStrictEqual(new Set(asking), new Set(["b", "c", "d"]))
    }).pipe(Effect.provide(ProbeWorkers.layer(8, limits)))
  )

  it.effect("is never more for one probe than one may hold", () =>
    Effect.gen(function* () {
      const { run } = yield* ProbeWorkers
      const asked = (bytes: number) =>
        run(
          "peer",
          Effect.flatMap(ProbeTurn, (turn) => turn.asking(bytes, Effect.succeed))
        )
      assert.deepStrictEqual(yield* Effect.forEach([10, 60, 1000], asked), [10, 60, 60])
    }).pipe(Effect.provide(ProbeWorkers.layer(1, limits)))
  )

  it.effect("that slow peers keep is given to whoever waits for it", () =>
    Effect.gen(function* () {
      const { asking, begin, cut } = yield* stage
      yield* begin("old", 50)
      yield* TestClock.adjust("100 millis")
      yield* begin("young", 50)
      yield* TestClock.adjust("2500 millis")
      assert.isEmpty(cut)
      yield* begin("fast", 40)
      assert.deepStrictEqual(cut, [["old", "room"]])
      assert.deepStrictEqual([...asking], ["young", "fast"])
    }).pipe(Effect.provide(ProbeWorkers.layer(2, limits)))
  )
})
