import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Option } from "effect"
import {
  ColumnsUnavailable,
  PeerDisconnected,
  PeerRefused,
  ProbeTimeout,
  type RequestError
} from "../../src/domain/probe/Outcome.ts"
import { LoopLag } from "../../src/runtime/LoopLag.ts"
import type { ColumnsOfBlock } from "../../src/wire/Requests.ts"
import type { PeerModel, Sent, World } from "./FakeWorld.ts"
import {
  askAgain,
  custody,
  honest,
  honestRoot,
  jobOver,
  kinds,
  probe,
  silent,
  suspicionsOf,
  world16
} from "./Probes.ts"

/** A peer whose answers by root have so many sidecars, at most. */
const cutsAfter =
  (world: World, most: number, has: (sent: Sent) => boolean = () => true) =>
  (request: ReadonlyArray<ColumnsOfBlock>) => ({
    sent: honestRoot(world, request).filter(has).slice(0, most)
  })

describe("an answer by root that ends inside a block", () => {
  it.effect("leaves the rest of that block untested: it is asked for once more alone, and nothing is suspected", () =>
    Effect.gen(function* () {
      const world = world16()
      const model: PeerModel = { ...silent(world), byRoot: cutsAfter(world, 3) }
      const result = yield* probe(world, model, jobOver(4, 1))
      assert.deepStrictEqual(kinds(result.probe.outcomes), { success: 6 })
      assert.deepStrictEqual(world.requests, ["by_range", "by_root", "by_root"])
      assert.isEmpty(suspicionsOf(result))
    })
  )

  it.effect("brings the rest when it is asked for alone", () =>
    Effect.gen(function* () {
      const world = world16()
      const model: PeerModel = { ...silent(world), byRoot: cutsAfter(world, 5) }
      const result = yield* probe(world, model, jobOver(4, 1))
      assert.deepStrictEqual(kinds(result.probe.outcomes), { success: 8 })
    })
  )

  it.effect("confirms nothing of that block, whatever the range says of it", () =>
    Effect.gen(function* () {
      const world = world16()
      const error = new ColumnsUnavailable({ detail: "code 3: Backfilling" })
      const refuses: PeerModel = { ...honest(world), byRange: () => ({ sent: [], error }) }
      const suspected = suspicionsOf(yield* probe(world, { ...refuses, byRoot: () => ({ sent: [] }) }, jobOver(4, 1)))
      const again = yield* askAgain(world, { ...refuses, byRoot: cutsAfter(world, 3) }, suspected)
      assert.deepStrictEqual(kinds(again.probe.outcomes), { success: 6 })
      assert.strictEqual(Option.getOrNull(again.settling), "settled")
      const left = suspicionsOf(again, suspected)
      assert.deepStrictEqual(left[0]?.columns.length, 2)
    })
  )

  it.effect("is no way out for what is left out as a whole, again and again", () =>
    Effect.gen(function* () {
      const world = world16()
      const lacking = new Set(custody.slice(4))
      const has = ({ column }: Sent) => !lacking.has(column)
      const model: PeerModel = { ...silent(world), byRoot: cutsAfter(world, 8, has) }
      const one = yield* probe(world, model, jobOver(4, 1))
      assert.deepStrictEqual(kinds(one.probe.outcomes), { success: 4, suspected: 4 })
      const two = yield* askAgain(world, model, suspicionsOf(one))
      assert.deepStrictEqual(kinds(two.probe.outcomes), { missing: 4 })
    })
  )
})

describe("what was left out by range and is asked for by root at once", () => {
  const refused = (reason: "unsupported_protocol" | "rate_limited" | "server_error", resultCode?: number) =>
    new PeerRefused({ reason, detail: "", ...(resultCode === undefined ? {} : { resultCode }) })
  const cases: ReadonlyArray<readonly [string, RequestError, string | null]> = [
    ["reset", new PeerDisconnected({ stage: "body", detail: "reset" }), "escaped"],
    ["called unsupported", refused("unsupported_protocol"), "escaped"],
    ["called too much (139)", refused("rate_limited", 139), "escaped"],
    ["met by silence", new ProbeTimeout({ stage: "firstChunk", afterMs: 5000 }), "escaped"],
    ["met by a server error, which may be passing trouble", refused("server_error", 2), null]
  ]
  for (const [name, error, settling] of cases) {
    it.effect(`${settling === null ? "is no escape" : "is escaped"} where it is ${name}, and suspected`, () =>
      Effect.gen(function* () {
        const world = world16()
        const model: PeerModel = { ...silent(world), byRoot: () => ({ sent: [], error }) }
        const result = yield* probe(world, model, jobOver(4, 1))
        assert.deepStrictEqual(kinds(result.probe.outcomes), { suspected: 8 })
        assert.strictEqual(result.conversation, "answered")
        assert.strictEqual(Option.getOrNull(result.settling), settling)
        // The later conversation about it takes each of them for an escape.
        const again = yield* askAgain(world, model, suspicionsOf(result))
        assert.strictEqual(Option.getOrNull(again.settling), "escaped")
      })
    )
  }

  it.effect("is settled where it comes, and open where it is left out there too", () =>
    Effect.gen(function* () {
      const world = world16()
      const brings: PeerModel = { ...silent(world), byRoot: honest(world).byRoot }
      assert.strictEqual(Option.getOrNull((yield* probe(world, brings, jobOver(4, 1))).settling), "settled")
      assert.isTrue(Option.isNone((yield* probe(world, silent(world), jobOver(4, 1))).settling))
      assert.isTrue(Option.isNone((yield* probe(world, honest(world), jobOver(4, 1))).settling))
    })
  )

  it.effect("is our own doing where our timers were late", () =>
    Effect.gen(function* () {
      const world = world16()
      const lag = Layer.succeed(LoopLag, LoopLag.of({ worstSince: () => Effect.succeed(4000) }))
      for (const error of [
        new ProbeTimeout({ stage: "firstChunk", afterMs: 5000 }),
        new PeerDisconnected({ stage: "body", detail: "overflow" })
      ]) {
        const model: PeerModel = { ...silent(world), byRoot: () => ({ sent: [], error }) }
        const result = yield* probe(world, model, jobOver(4, 1), { lag })
        assert.isTrue(Option.isNone(result.settling))
        const [confirms] = suspicionsOf(result)
        if (confirms === undefined) return assert.fail()
        const again = yield* probe(world, model, jobOver(4, 1), { lag, confirms })
        assert.strictEqual(Option.getOrNull(again.settling), "ours")
      }
    })
  )
})
