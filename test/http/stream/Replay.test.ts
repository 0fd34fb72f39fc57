import * as Net from "node:net"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { Dasmon } from "../../../src/Dasmon.ts"
import type { EventFilter } from "../../../src/domain/EventFilter.ts"
import { type Framing, sseFraming, webSocketFraming } from "../../../src/http/stream/Framing.ts"
import { makeSharedBytes, piecesOf } from "../../../src/http/stream/SharedBytes.ts"
import { defaultStreamLimits, makeStreamHub } from "../../../src/http/stream/StreamHub.ts"
import { eventually } from "../../Eventually.ts"
import { makeFakeDasmon, statusOf } from "../FakeDasmon.ts"

/** A client that reads nothing, and remembers which bytes it was given. */
class Sink extends Net.Socket {
  readonly given: Array<Buffer> = []
  override write(bytes: Uint8Array | string): boolean {
    if (Buffer.isBuffer(bytes)) this.given.push(bytes)
    return true
  }
  /** Where in memory what it was given begins; without the first message, which tells where the client is. */
  places = (): ReadonlySet<ArrayBufferLike> => new Set(this.given.slice(1).map(({ buffer }) => buffer))
  length = (): number => this.given.slice(1).reduce((sum, { length }) => sum + length, 0)
}

describe("a replay", () => {
  it.scopedLive("is rendered once for all clients that want the same", () =>
    Effect.gen(function* () {
      const fake = yield* makeFakeDasmon()
      const event = { _tag: "SystemSnapshot", status: statusOf({}) } as const
      yield* Effect.replicateEffect(fake.publish(event), 3000, { discard: true })
      const dasmon = Context.get(yield* Layer.build(fake.layer), Dasmon)
      const hub = yield* Effect.provideService(makeStreamHub(defaultStreamLimits), Dasmon, dasmon)
      const join = (framing: Framing, filter: EventFilter, sequence: number) =>
        Effect.gen(function* () {
          const tcp = new Sink()
          const connection = { framing, tcp, isOpen: () => true }
          yield* Effect.forkScoped(hub.serve(connection, { filter, position: { sequence, run: undefined } }))
          return tcp
        })
      const joinMany = (count: number, framing: Framing, filter: EventFilter = {}, sequence = 0) =>
        Effect.replicateEffect(join(framing, filter, sequence), count)
      const whole = yield* joinMany(20, webSocketFraming)
      const [first] = whole
      yield* eventually(Effect.sync(() => (first?.length() ?? 0) > 3000 * 300))
      yield* eventually(Effect.sync(() => whole.every((sink) => sink.length() === first?.length())))
      const places = first?.places() ?? new Set()
      for (const sink of whole) assert.deepStrictEqual(sink.places(), places)

      // Whoever begins elsewhere has most in common with them: all but where a run of events begins or ends.
      const [later] = yield* joinMany(1, webSocketFraming, {}, 1000)
      yield* eventually(Effect.sync(() => (later?.length() ?? 0) > 2000 * 300))
      const own = [...(later?.places() ?? [])].filter((place) => !places.has(place))
      assert.isBelow(own.length, places.size / 4)

      // Another framing and another filter are other bytes, and these are shared too.
      const events = yield* joinMany(5, sseFraming(hub.run), { types: ["SystemSnapshot"] })
      yield* eventually(Effect.sync(() => events.every((sink) => sink.length() > 3000 * 300)))
      for (const sink of events) assert.deepStrictEqual(sink.places(), events[0]?.places())
      assert.isEmpty([...(events[0]?.places() ?? [])].filter((place) => places.has(place)))
    })
  )
})

describe("shared bytes", () => {
  it("are made once while they are kept, and forgotten by what was wanted last", () => {
    const made: Array<string> = []
    const { of } = makeSharedBytes(25)
    const want = (name: string, length = 10) =>
      of(name, () => {
        made.push(name)
        return Buffer.alloc(length)
      })
    assert.strictEqual(want("a"), want("a"))
    want("b")
    want("a")
    want("c")
    want("a")
    want("b")
    assert.deepStrictEqual(made, ["a", "b", "c", "b"])
    // What is larger than all that is kept is kept alone, until the next.
    assert.strictEqual(want("large", 100), want("large", 100))
    want("a")
    assert.deepStrictEqual(made.slice(4), ["large", "a"])
  })

  it("come in pieces whose ends do not depend on where a run begins", () => {
    const run = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index)
    const ends = (from: number, to: number, alone = -1) =>
      piecesOf(
        run(from, to),
        (n) => n,
        (n) => n === alone
      ).map((piece) => piece.at(-1))
    assert.deepStrictEqual(ends(1, 200), [63, 127, 191, 200])
    assert.deepStrictEqual(ends(70, 140), [127, 140])
    assert.deepStrictEqual(ends(60, 70, 62), [61, 62, 63, 70])
    assert.deepStrictEqual(ends(1, 0), [])
  })
})
