import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, Stream } from "effect"
import type { ApiHabit } from "../../src/devnet/api/ApiHabit.ts"
import { devnet } from "../host/beacon-api/Chain.ts"
import { scaled } from "../TimeLimits.ts"

/** A devnet of four epochs whose API has this habit, and its first empty slot of Fulu. */
const start = (api: ApiHabit) =>
  Effect.gen(function* () {
    const { chain, state, url } = yield* devnet({ epochs: 4, api })
    const get = (path: string, method = "GET") =>
      Effect.promise(async (signal) => {
        const response = await fetch(`${url}${path}`, { method, signal, headers: { accept: "application/json" } })
        return { status: response.status, headers: response.headers, text: await response.text() }
      })
    const slotsOfFulu = Array.from({ length: 80 }, (_, index) => 32 + index)
    const empty = slotsOfFulu.find((slot) => !state.canonical.has(slot)) ?? 0
    return { chain, state, url, get, empty, block: (id: string | number) => get(`/eth/v2/beacon/blocks/${id}`) }
  })

/** The event stream, once its head has come. */
const openEvents = (url: string) =>
  Effect.map(
    Effect.promise((signal) => fetch(`${url}/eth/v1/events?topics=head,chain_reorg`, { signal })),
    ({ body }) => {
      assert.isNotNull(body)
      return Stream.fromReadableStream(() => body, String).pipe(
        Stream.decodeText(),
        Stream.splitLines,
        Stream.filter((line) => line.length > 1)
      )
    }
  )

const first = (lines: Stream.Stream<string, string>, count: number) =>
  Effect.map(Stream.runCollect(Stream.take(lines, count)), (found) => [...found])

describe("the habits of the devnet's Beacon API", () => {
  it.scopedLive("like-lodestar: the head of the event stream comes with the first event", () =>
    Effect.gen(function* () {
      const { block, chain, empty, url } = yield* start("like-lodestar")
      const answer = yield* block(empty)
      assert.strictEqual(answer.status, 404)
      assert.isNotNaN(Date.parse(answer.headers.get("date") ?? ""))
      assert.isTrue(Option.isNone(yield* Effect.timeoutOption(openEvents(url), scaled("300 millis"))))
      const lines = yield* Effect.raceFirst(
        openEvents(url),
        Effect.forever(Effect.delay(Effect.orDie(chain.reorg(2)), "100 millis"))
      )
      assert.strictEqual((yield* first(lines, 1))[0], "event: chain_reorg")
    })
  )

  it.scopedLive("like-prysm: an empty slot is a 500, and after a restart an orphan is taken for canonical", () =>
    Effect.gen(function* () {
      const { block, chain, empty, get, state } = yield* start("like-prysm")
      assert.strictEqual((yield* block(empty)).status, 500)
      assert.strictEqual((yield* block(state.head.slot + 9)).status, 404)
      yield* chain.reorg(1)
      const { head } = yield* chain.state
      const rootAtHead = Effect.map(get(`/eth/v1/beacon/blocks/${head.slot}/root`), ({ text }) => text)
      assert.include(yield* rootAtHead, head.root)
      assert.strictEqual((yield* get("/devnet/restart", "POST")).status, 200)
      assert.include(yield* rootAtHead, state.head.root)
    })
  )

  it.scopedLive("checkpoint: nothing from before what was final at the start", () =>
    Effect.gen(function* () {
      const { block, get, state } = yield* start("checkpoint")
      const first = state.canonical.get(64)
      assert.isDefined(first)
      assert.strictEqual((yield* block(64)).status, 200)
      const older = [...state.canonical.values()].findLast(({ slot }) => slot < 64)
      for (const id of [older?.slot ?? 0, older?.root ?? "", "genesis"]) {
        assert.strictEqual((yield* block(id)).status, 404)
        assert.strictEqual((yield* get(`/eth/v1/beacon/headers/${id}`)).status, 404)
      }
      assert.notInclude((yield* get(`/eth/v1/beacon/headers?slot=${older?.slot}`)).text, "0x")
    })
  )

  it.scopedLive("errors: each eleventh answer is none, and events mean nothing", () =>
    Effect.gen(function* () {
      const { block, chain, empty, state, url } = yield* start("errors")
      const answers = yield* Effect.forEach(Array.from({ length: 22 }), () => block(empty))
      assert.deepStrictEqual(
        answers.map(({ status }) => status),
        [...Array.from({ length: 10 }, () => 200), 500, ...Array.from({ length: 10 }, () => 200), 503]
      )
      const before = [...state.canonical.keys()].findLast((slot) => slot < empty)
      assert.include(answers[0]?.text, `"slot":"${before}"`)
      const lines = yield* openEvents(url)
      for (let count = 0; count < 4; count++) yield* chain.reorg(1)
      const told = (yield* first(lines, 12)).join("\n")
      assert.include(told, `"depth":"18446744073709551614"`)
      assert.include(told, `event: head\ndata: {"slot":"unknown"}`)
    })
  )
})
