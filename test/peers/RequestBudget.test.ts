import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Fiber, Layer, Option, PubSub, TestClock } from "effect"
import { levelAt } from "../../src/domain/peer/Restraint.ts"
import { PeerRefused } from "../../src/domain/probe/Outcome.ts"
import { History } from "../../src/history/store/History.ts"
import * as MemoryHistory from "../../src/history/store/MemoryHistory.ts"
import type { ProbeRequest } from "../../src/probe/Prober.ts"
import { Peers } from "../../src/peers/Peers.ts"
import { Sampler, type SamplerOptions } from "../../src/sampler/Sampler.ts"
import { claimsOf, peer, statement } from "../probe/FakeWorld.ts"
import { leavesOut, standing } from "./LeavesOut.ts"
import { Fakes, saying, type Script, timesOf, view, world } from "./Script.ts"

/** The chain's head at that moment. */
const startedAt = 1_000_000

/** As large as requests were before there were budgets, or larger. */
const greedy: SamplerOptions = {
  maxColumns: 128,
  maxSlots: 128,
  maxCombinations: 512,
  slotBias: "uniform",
  preferUntested: false,
  retryFailures: true,
  retryAfter: Duration.hours(24),
  historyWindow: Duration.days(18),
  blockFilter: () => ({ start: 0, end: Infinity }),
  margins: { headSlots: 8, retentionEpochs: 2 }
}

/** The requests that a probe makes where nothing is left out by range and all is left out by root. */
const requestsOf = ({ confirms, job }: ProbeRequest) =>
  confirms.length === 0
    ? [{ kind: "range" as const, slots: job.count, sidecars: job.count * job.columns.length }]
    : confirms.flatMap(({ columns }) => [
        { kind: "root" as const, slots: 0, sidecars: columns.length },
        { kind: "range" as const, slots: 1, sidecars: columns.length }
      ])

/** Whether so many are more than there is room for; what is admitted fills the bucket, as far as it goes. */
const leakyBucket = (capacity: number, perSecond: number) => {
  let level = 0
  let last = 0
  return (at: number, asked: number, cost: number): boolean => {
    level = Math.max(0, level - ((at - last) / 1000) * perSecond)
    last = at
    if (asked > capacity - level) return false
    level = Math.min(capacity, level + cost)
    return true
  }
}

const slidingWindow = (most: number, windowMs: number) => {
  const taken: Array<readonly [number, number]> = []
  return (at: number, cost: number): boolean => {
    taken.push([at, cost])
    return taken.reduce((sum, [then, cost]) => (at - then < windowMs ? sum + cost : sum), 0) <= most
  }
}

const run = <A, E>(
  test: Effect.Effect<A, E, Layer.Layer.Success<ReturnType<typeof world>>>,
  prepare: (script: Script) => void,
  over: Parameters<typeof world>[1] = {},
  parts: { readonly sampler?: Partial<SamplerOptions>; readonly history?: Layer.Layer<History> } = {}
) =>
  Effect.gen(function* () {
    if ((yield* Effect.clockWith((clock) => clock.currentTimeMillis)) < startedAt) yield* TestClock.setTime(startedAt)
    return yield* Effect.provide(
      test,
      world(
        prepare,
        { refreshInterval: Duration.seconds(10), ...over },
        {
          sampler: Sampler.layer({ ...greedy, maxColumns: 16, maxSlots: 32, ...parts.sampler }),
          ...(parts.history === undefined ? {} : { history: parts.history })
        }
      )
    )
  })

const tooMuch = new PeerRefused({ reason: "rate_limited", detail: "code 1: rate limited", resultCode: 1 })

/** Prysm with its limits lowered to 64 × 2, on the strictest terms: counts a strike for each refusal. */
const loweredPrysm = (script: Script, admits: "by slots" | "as a whole") => {
  const bucket = leakyBucket(128, 64 / 30)
  const strikes: Array<number> = []
  script.agent = "Prysm/v7.0.0"
  script.refresh = () => Effect.succeed(saying(8))
  script.probe = (request) =>
    Effect.clockWith((clock) =>
      Effect.sync(() => {
        const at = clock.unsafeCurrentTimeMillis()
        for (const { kind, sidecars, slots } of requestsOf(request)) {
          const asked = kind === "root" || admits === "as a whole" ? slots + sidecars : slots
          if (!bucket(at, asked, slots + sidecars)) {
            strikes.push(at)
            return Option.some(tooMuch)
          }
        }
        return Option.none()
      })
    )
  return strikes
}

describe("a peer whose limits are lowered", () => {
  for (const admits of ["by slots", "as a whole"] as const) {
    it.effect(`that admits ${admits} gives one strike in twenty minutes, and is asked all the time`, () => {
      let strikes: ReadonlyArray<number> = []
      return run(
        Effect.gen(function* () {
          const { script } = yield* Fakes
          // What is left out by the only large answer there is comes due in the middle of it.
          yield* TestClock.adjust("20 minutes")
          assert.lengthOf(strikes, 1)
          const [strike = 0] = strikes
          const after = script.probes.filter(({ at }) => at > strike)
          assert.isAbove(after.length, 6)
          assert.isAtLeast((after[0]?.at ?? 0) - strike, 128_000, "any bucket drains first")
          assert.isAbove(after.filter(({ asked }) => asked.confirms.length > 0).length, 0, "what is suspected too")
          for (const { asked } of after) {
            for (const { sidecars, slots } of requestsOf(asked)) assert.isBelow(sidecars + slots, 32)
          }
        }),
        (script) => {
          strikes = loweredPrysm(script, admits)
          script.result = ({ confirms, job }, at) =>
            confirms.length > 0 || at > startedAt + 5000
              ? {}
              : {
                  probe: {
                    outcomes: job.columns.map((column) => ({
                      slot: job.startSlot,
                      column,
                      outcome: "suspected" as const,
                      suspicion: "missing" as const,
                      blockRoot: "0xaa",
                      blobs: 1
                    }))
                  }
                }
        }
      )
    })
  }

  it.effect("is remembered over its reconnecting and over a restart of the program, for a day", () => {
    const { history } = MemoryHistory.makeMemoryHistory()
    const kept = Layer.succeed(History, history)
    let strikes: ReadonlyArray<number> = []
    const prepare = (script: Script) => {
      strikes = loweredPrysm(script, "by slots")
    }
    return Effect.gen(function* () {
      yield* run(
        Effect.gen(function* () {
          const { script, hub } = yield* Fakes
          yield* TestClock.adjust("1 minute")
          assert.lengthOf(strikes, 1)
          yield* PubSub.publish(hub, { _tag: "Disconnected", peerId: peer.peerId, goodbye: Option.none() })
          script.up.delete(peer.peerId)
          yield* TestClock.adjust("1 minute")
          assert.isTrue((yield* view(peer.peerId)).connected)
          assert.strictEqual(timesOf(script, peer.peerId).at(-1), strikes[0])
        }),
        prepare,
        {},
        { history: kept }
      )
      const [strike = 0] = strikes
      const { restraint } = yield* Effect.provide(standing, kept)
      assert.deepStrictEqual(restraint, { level: 4, at: strike })
      yield* run(
        Effect.gen(function* () {
          const { script } = yield* Fakes
          yield* TestClock.adjust("30 seconds")
          assert.deepStrictEqual(timesOf(script, peer.peerId), [], "it is still left alone")
          yield* TestClock.adjust("10 minutes")
          assert.isNotEmpty(script.probes)
          for (const { asked } of script.probes) assert.isAtMost(asked.job.count * asked.job.columns.length, 10)
          assert.lengthOf(strikes, 0)
        }),
        prepare,
        {},
        { history: kept }
      )
      assert.strictEqual(levelAt(restraint, strike + 6 * 3_600_000), 3)
      assert.strictEqual(levelAt(restraint, strike + 24 * 3_600_000), 0)
    })
  })
})

describe("a peer that says in another way that it is too much", () => {
  const quiet = (script: Script) => {
    script.refresh = () => Effect.succeed(saying(8))
  }

  it.effect("is asked less after Goodbye 130, and not after one that says something else", () => {
    const { history } = MemoryHistory.makeMemoryHistory()
    const kept = Layer.succeed(History, history)
    const leave = (goodbye: number) =>
      Effect.gen(function* () {
        const { hub, script } = yield* Fakes
        yield* PubSub.publish(hub, { _tag: "Disconnected", peerId: peer.peerId, goodbye: Option.some(goodbye) })
        script.up.delete(peer.peerId)
        yield* TestClock.adjust("1 minute")
        return (yield* history.peer(peer.peerId)).standing.restraint.level
      })
    return run(
      Effect.gen(function* () {
        yield* TestClock.adjust("1 minute")
        assert.strictEqual(yield* leave(3), 0)
        assert.strictEqual(yield* leave(130), 4)
        const { script } = yield* Fakes
        assert.isTrue((yield* view(peer.peerId)).connected)
        const last = timesOf(script, peer.peerId).at(-1) ?? 0
        yield* TestClock.adjust("10 minutes")
        const next = timesOf(script, peer.peerId).find((at) => at > last) ?? 0
        assert.isAtLeast(next - last, 155_000)
      }),
      quiet,
      {},
      { history: kept }
    )
  })

  it.effect("is asked less after a handshake that it refuses for that", () => {
    const { history } = MemoryHistory.makeMemoryHistory()
    return run(
      Effect.gen(function* () {
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual((yield* history.peer(peer.peerId)).standing.restraint, { level: 4, at: startedAt })
      }),
      (script) => {
        script.refresh = () =>
          Effect.fail(new PeerRefused({ reason: "rate_limited", detail: "code 139", resultCode: 139 }))
      },
      {},
      { history: Layer.succeed(History, history) }
    )
  })
})

describe("a liar that calls every question too much", () => {
  it.effect("slows its being found out a little, and does not escape it", () =>
    Effect.gen(function* () {
      const { script } = yield* Fakes
      yield* TestClock.adjust("110 minutes")
      const questions = script.probes.filter(({ asked }) => asked.confirms.length > 0)
      assert.isAtLeast(questions.length, 6)
      const gaps = timesOf(script, peer.peerId).map((at, index, all) => at - (all[index - 1] ?? 0))
      assert.isAtMost(Math.max(...gaps.slice(1)), 170_000, "no longer than after the first refusal")
      assert.strictEqual((yield* view(peer.peerId)).verdict, "evasive")
    }).pipe(
      Effect.provide(
        world((script) => {
          leavesOut(Array.from({ length: 12 }, (_, index) => 70 * (index + 1)))(script)
          const { result } = script
          script.probe = ({ confirms }) => Effect.succeed(confirms.length > 0 ? Option.some(tooMuch) : Option.none())
          script.result = (request, at) => (request.confirms.length > 0 ? {} : result(request, at))
        })
      )
    )
  )
})

/** What each client lets one peer do, by its own code; gives what was over it. */
const limiters: Readonly<Record<string, () => (at: number, kind: string, slots: number, sidecars: number) => boolean>> =
  {
    "Prysm/v7": () => {
      const columns = leakyBucket(16_384, 4096 / 30)
      const [any, status, metadata] = [leakyBucket(20, 10), leakyBucket(5, 1), leakyBucket(5, 1)]
      return (at, kind, slots, sidecars) =>
        any(at, 1, 1) &&
        (kind === "status"
          ? status(at, 1, 1)
          : kind === "metadata"
            ? metadata(at, 1, 1)
            : columns(at, slots + sidecars, slots + sidecars))
    },
    "Lighthouse/v8": () => {
      const [range, root] = [leakyBucket(5120, 512), leakyBucket(512, 51.2)]
      const [status, metadata] = [leakyBucket(5, 5 / 15), leakyBucket(2, 2 / 5)]
      return (at, kind, _slots, sidecars) =>
        kind === "status"
          ? status(at, 1, 1)
          : kind === "metadata"
            ? metadata(at, 1, 1)
            : kind === "range"
              ? range(at, sidecars, sidecars)
              : root(at, sidecars, sidecars)
    },
    "lodestar/v1": () => {
      const columns = leakyBucket(16_384, 1638.4)
      const [status, metadata] = [leakyBucket(5, 5 / 15), leakyBucket(2, 2 / 5)]
      return (at, kind, _slots, sidecars) =>
        kind === "status"
          ? status(at, 1, 1)
          : kind === "metadata"
            ? metadata(at, 1, 1)
            : columns(at, sidecars, sidecars)
    },
    "erigon/caplin/3.3": () => {
      const [range, root] = [leakyBucket(128, 12.8), leakyBucket(128, 12.8)]
      const [status, metadata] = [leakyBucket(5, 0.33), leakyBucket(2, 0.2)]
      return (at, kind, _slots, sidecars) =>
        kind === "status"
          ? status(at, 1, 1)
          : kind === "metadata"
            ? metadata(at, 1, 1)
            : (kind === "range" ? range : root)(at, sidecars, sidecars)
    },
    "teku/v25": () => {
      const [any, columns] = [slidingWindow(100, 60_000), slidingWindow(2000, 60_000)]
      return (at, _kind, _slots, sidecars) => {
        const isFew = any(at, 1)
        return columns(at, sidecars) && isFew
      }
    }
  }

/** Everything at once, which is what an agent that nobody knows may turn out to be. */
const allOf = () => {
  const all = Object.values(limiters).map((make) => make())
  return (at: number, kind: string, slots: number, sidecars: number) =>
    all.map((limiter) => limiter(at, kind, slots, sidecars)).every((isAllowed) => isAllowed)
}

describe("someone who waits for a probe of a peer whose budget is spent", () => {
  it.effect("is served as soon as it has come back", () =>
    run(
      Effect.gen(function* () {
        const peers = yield* Peers
        yield* TestClock.adjust("1 second")
        const question = { slot: 900, columns: [claimsOf(statement(8)).current.columns[0] ?? 0] }
        // Teku takes a hundred requests in a minute, whatever they are for.
        const asking = Effect.replicateEffect(peers.ask(peer.peerId, { ...question, purpose: "retrieval" }), 60)
        yield* Effect.fork(asking)
        yield* TestClock.adjust("9 seconds")
        const waiting = yield* Effect.fork(peers.probe(peer.peerId))
        yield* TestClock.adjust("20 seconds")
        assert.strictEqual((yield* Fiber.join(waiting)).purpose, "sampling")
      }),
      (script) => {
        script.agent = "teku/v25"
        script.refresh = () => Effect.succeed(saying(8))
      }
    )
  )
})

describe("a peer with the limits of its client", () => {
  for (const [agent, make] of [...Object.entries(limiters), ["nobody/v1", allOf] as const]) {
    it.effect(`${agent} is never asked more, however much is configured`, () =>
      run(
        Effect.gen(function* () {
          const { script } = yield* Fakes
          yield* TestClock.adjust("2 minutes")
          assert.isAbove(script.probes.length, 10)
          const limiter = make()
          const over: Array<unknown> = []
          const asked = [
            ...greeted.flatMap((at) => ["status", "metadata"].map((kind) => ({ at, kind, slots: 0, sidecars: 0 }))),
            ...script.probes.flatMap(({ asked, at }) => requestsOf(asked).map((one) => ({ at, ...one })))
          ].sort((a, b) => a.at - b.at)
          for (const one of asked) {
            if (!limiter(one.at, one.kind, one.slots, one.sidecars)) over.push(one)
          }
          assert.deepStrictEqual(over, [])
        }),
        (script) => {
          script.agent = agent
          greeted.length = 0
          script.refresh = () =>
            Effect.clockWith((clock) =>
              Effect.sync(() => {
                greeted.push(clock.unsafeCurrentTimeMillis())
                return saying(128)
              })
            )
        },
        { testInterval: Duration.millis(200), refreshInterval: Duration.seconds(1) },
        { sampler: { maxColumns: 128, maxSlots: 128 } }
      )
    )
  }
  const greeted: Array<number> = []
})
