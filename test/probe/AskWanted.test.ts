import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import type { WantedPurpose } from "../../src/domain/probe/Job.ts"
import {
  ColumnsUnavailable,
  MalformedResponse,
  PeerRefused,
  ProbeTimeout,
  type RequestError
} from "../../src/domain/probe/Outcome.ts"
import { Prober } from "../../src/probe/Prober.ts"
import type { ColumnsOfBlock } from "../../src/wire/Requests.ts"
import { claimsOf, layerWorld, makeWorld, nodeId, peer, type PeerModel, type World } from "./FakeWorld.ts"
import { statement } from "./FakeWorld.ts"
import { custody, honest, honestRoot, kinds, silent, suspicionsOf } from "./Probes.ts"

/** The head, ours and the peer's, is 1000. */
const old = 900
const young = 995
const beyond = 1003

const wanting = (
  world: World,
  model: PeerModel,
  slot: number,
  columns: ReadonlyArray<number> = custody.slice(0, 3),
  wanted: WantedPurpose = "availability"
) =>
  Effect.flatMap(Prober, (prober) =>
    prober.probe({
      address: peer,
      nodeId,
      claims: claimsOf(statement(8)),
      job: { peerId: peer.peerId, startSlot: slot, count: 1, columns },
      confirms: [],
      wanted,
      agent: Option.some("Nimbus/v1"),
      remoteAddress: Option.none()
    })
  ).pipe(Effect.provide(Prober.layer), Effect.provide(layerWorld(world, model)))

const worldAt = (slot: number) => makeWorld(new Map([[slot, 2]]))
const failing = (world: World, error: RequestError): PeerModel => ({
  ...honest(world),
  byRoot: () => ({ sent: [], error })
})

describe("columns that someone wants", () => {
  for (const slot of [old, young, beyond]) {
    it.effect(`are asked for by root alone, and come verified, at slot ${slot} with a head at 1000`, () =>
      Effect.gen(function* () {
        const world = worldAt(slot)
        const { brought, conversation, probe, settling } = yield* wanting(world, honest(world), slot)
        assert.deepStrictEqual(world.requests, ["by_root"])
        assert.deepStrictEqual(kinds(probe.outcomes), { success: 3 })
        assert.deepStrictEqual([probe.purpose, conversation], ["availability", "answered"])
        assert.isTrue(Option.isNone(settling))
        const { absent, proven } = Option.getOrThrow(brought)
        assert.deepStrictEqual([proven.map(({ column }) => column), absent], [custody.slice(0, 3), []])
        assert.isAbove(proven[0]?.ssz.length ?? 0, 0)
      })
    )
  }

  it.effect("are suspected where an old slot lacks them, and no more than that", () =>
    Effect.gen(function* () {
      const world = worldAt(old)
      const result = yield* wanting(world, silent(world), old, custody, "retrieval")
      assert.deepStrictEqual(kinds(result.probe.outcomes), { suspected: 8 })
      assert.strictEqual(suspicionsOf(result)[0]?.columns.length, 8)
      assert.deepStrictEqual(
        Option.map(result.brought, ({ absent }) => absent),
        Option.some(custody)
      )
    })
  )

  const ways: ReadonlyArray<readonly [string, (world: World) => PeerModel]> = [
    ["left out", silent],
    ["refused as unavailable", (world) => failing(world, new ColumnsUnavailable({ detail: "code 3" }))],
    [
      "answered with a server error",
      (world) => failing(world, new PeerRefused({ reason: "server_error", detail: "code 2", resultCode: 2 }))
    ]
  ]
  for (const [name, model] of ways) {
    for (const slot of [young, beyond]) {
      it.effect(`are nobody's fault, nor asked for again, where a young slot is ${name}: ${slot}`, () =>
        Effect.gen(function* () {
          const world = worldAt(slot)
          const result = yield* wanting(world, model(world), slot)
          assert.deepStrictEqual(kinds(result.probe.outcomes), { unverifiable: 3 })
          assert.isTrue(result.probe.outcomes.every(({ reason }) => reason?.includes("too_young")))
          assert.isEmpty(suspicionsOf(result))
          assert.deepStrictEqual(
            Option.map(result.brought, ({ absent }) => absent),
            Option.some(custody.slice(0, 3))
          )
        })
      )
    }
  }

  it.effect("leave nothing suspected of a young slot where the peer is silent, and that is a timeout", () =>
    Effect.gen(function* () {
      const world = worldAt(young)
      const error = new ProbeTimeout({ stage: "firstChunk", afterMs: 5000 })
      const result = yield* wanting(world, failing(world, error), young)
      assert.deepStrictEqual(kinds(result.probe.outcomes), { timeout: 3 })
      assert.deepStrictEqual([result.conversation, suspicionsOf(result).length], ["unanswered", 0])
      assert.deepStrictEqual(
        Option.map(result.brought, ({ absent }) => absent),
        Option.some([])
      )
    })
  )

  it.effect("are untested where the answer ends inside the block twice, and only left out where it brings none", () =>
    Effect.gen(function* () {
      const world = worldAt(old)
      const cuts: PeerModel = {
        ...honest(world),
        byRoot: (request: ReadonlyArray<ColumnsOfBlock>) => ({ sent: honestRoot(world, request).slice(0, 1) })
      }
      const result = yield* wanting(world, cuts, old)
      assert.deepStrictEqual(world.requests, ["by_root", "by_root"])
      assert.deepStrictEqual(kinds(result.probe.outcomes), { success: 2 })
      assert.deepStrictEqual(
        Option.map(result.brought, ({ absent }) => absent),
        Option.some([])
      )
    })
  )

  it.effect("are suspected where garbage comes, whatever the age of the slot, and of another block as well", () =>
    Effect.gen(function* () {
      for (const slot of [old, young]) {
        const world = worldAt(slot)
        const garbage = failing(world, new MalformedResponse({ detail: "not snappy" }))
        assert.deepStrictEqual(kinds((yield* wanting(world, garbage, slot)).probe.outcomes), { suspected: 1 })
        const other: PeerModel = {
          ...honest(world),
          byRoot: () => ({ sent: [{ slot, column: custody[0] ?? 0, root: `0x${"ab".repeat(32)}` }] })
        }
        const result = yield* wanting(world, other, slot, custody.slice(0, 1))
        assert.isEmpty(Option.getOrThrow(result.brought).proven)
        assert.isTrue(result.probe.outcomes.every(({ outcome }) => outcome === "suspected"))
      }
    })
  )
})
