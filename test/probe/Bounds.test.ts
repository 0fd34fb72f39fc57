import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer, Option } from "effect"
import type { Block } from "../../src/domain/network/Block.ts"
import { ProbeTimeout } from "../../src/domain/probe/Outcome.ts"
import { type SidecarVerdict, Verifier, type VerifyOptions } from "../../src/kzg/Verifier.ts"
import { answerSizes } from "../../src/probe/AnswerSizes.ts"
import { makeHeldSidecars } from "../../src/probe/HeldSidecars.ts"
import { type Cut, ProbeTurn } from "../../src/probe/ProbeTurn.ts"
import { Prober } from "../../src/probe/Prober.ts"
import { chain, claimsOf, layerWorld, nodeId, peer, type PeerModel, reorg, statement, type World } from "./FakeWorld.ts"
import {
  askAgain,
  custody,
  due16,
  first,
  honest,
  honestRange,
  jobOver,
  kinds,
  probe,
  silent,
  suspicionsOf,
  world16
} from "./Probes.ts"

/** Bytes of a Gloas sidecar. */
const bytesOf = (blobs: number) => 56 + 2096 * blobs

const block = (fork: Block["fork"], slot: number, blobs: number): Block => ({
  slot,
  root: "0x",
  parentRoot: "0x",
  fork,
  commitments: Array.from({ length: blobs }, () => new Uint8Array(48)),
  signature: Option.none(),
  payload: "full"
})

describe("what an answer may hold", () => {
  it("follows from the commitments of the blocks that are asked for", () => {
    const facts = [
      { _tag: "Block", block: block("fulu", 1, 21) },
      { _tag: "Empty", slot: 2 },
      { _tag: "Block", block: block("fulu", 3, 0) },
      { _tag: "Block", block: block("gloas", 4, 6) }
    ] as const
    const slots = { start: 1, end: 4 }
    const sizes = answerSizes(chain, slots, facts, [])
    assert.strictEqual(sizes.bytes(8), 8 * (45_380 + 12_632))
    assert.strictEqual(sizes.bytes(8, [3, 4]), 8 * 12_632)
    assert.deepStrictEqual(sizes.byRange({ start: 1, end: 4 }, 8), {
      chunkBytes: 45_380,
      totalBytes: 2 * 8 * (45_380 + 12_632) + 16 * 45_380
    })
    assert.deepStrictEqual(sizes.byRange({ start: 2, end: 4 }, 1), { chunkBytes: 12_632, totalBytes: 18 * 12_632 })
    assert.deepStrictEqual(sizes.byRoot([{ slot: 4, columns: [1, 2, 3] }]), {
      chunkBytes: 12_632,
      totalBytes: 22 * 12_632
    })
    // What the chain cannot tell of a slot may be as large as its limit, which is 9 here, as Gloas.
    const partly = answerSizes(chain, slots, facts.slice(0, 3), [])
    assert.strictEqual(partly.byRange({ start: 2, end: 4 }, 1).chunkBytes, bytesOf(9))
    // Nobody can send a bomb in place of what has no columns.
    assert.strictEqual(sizes.byRange({ start: 2, end: 3 }, 128).chunkBytes, 2_500)
    // A peer that lags behind a reorg may send the block that was there.
    assert.strictEqual(
      answerSizes(chain, slots, facts, [block("fulu", 4, 9)]).byRange({ start: 4, end: 4 }, 1).chunkBytes,
      19_652
    )
  })

  it("keeps the first of each combination, and no more than all of them have", () => {
    const held = makeHeldSidecars(100, 100)
    assert.strictEqual(held.keep(1, 1, 60), "kept")
    assert.strictEqual(held.keep(1, 1, 60), "known")
    assert.strictEqual(held.keep(1, 2, 40), "kept")
    const more = held.keep(1, 3, 1)
    assert.match(
      typeof more === "string" ? more : more.detail,
      /101 bytes of sidecars came, the blocks asked for have 100/
    )
    assert.strictEqual(makeHeldSidecars(100, 50).keep(1, 1, 60), "full")
  })

  it.effect("goes with each request, by range and by root", () =>
    Effect.gen(function* () {
      const world = world16()
      const one = yield* probe(world, silent(world), jobOver(0, 16))
      const chunkBytes = bytesOf(2)
      const totalBytes = 2 * 8 * 5 * (bytesOf(1) + bytesOf(2)) + 16 * chunkBytes
      assert.deepStrictEqual(world.allowed, [
        { chunkBytes, totalBytes },
        { chunkBytes, totalBytes }
      ])
      world.allowed.splice(0)
      yield* askAgain(world, silent(world), suspicionsOf(one))
      const ofOne = { chunkBytes: bytesOf(1), totalBytes: (2 * 8 + 16) * bytesOf(1) }
      assert.deepStrictEqual(world.allowed, [ofOne, ofOne])
    })
  )

  it.effect("counts what was canonical in these slots before", () =>
    Effect.gen(function* () {
      const world = world16()
      reorg(world, first + 2, 1)
      yield* probe(world, honest(world), jobOver(2, 1))
      assert.strictEqual(world.allowed[0]?.chunkBytes, bytesOf(2))
    })
  )

  it.effect("ends an answer whose sidecars have more bytes than all blocks together, as malformed", () =>
    Effect.gen(function* () {
      const world = world16()
      const model: PeerModel = {
        ...honest(world),
        byRange: (request) => ({ sent: honestRange(world, request).map((sent) => ({ ...sent, padding: 2096 * 2 })) })
      }
      const { probe: result } = yield* probe(world, model, jobOver(1, 1))
      assert.deepStrictEqual(kinds(result.outcomes), { success: 4, suspected: 1 })
      assert.match(
        result.outcomes.find(({ outcome }) => outcome === "suspected")?.reason ?? "",
        /the blocks asked for have 17216/
      )
    })
  )
})

/** A probe that is cut when the deferred says so. */
const cutBy = (cut: Deferred.Deferred<Cut>, most = Infinity) =>
  Effect.provideService(ProbeTurn, {
    asking: (bytes, ask) => ask(Math.min(bytes, most)),
    waits: () => {},
    heard: () => {},
    cut: Deferred.await(cut)
  })

/** Sends so many sidecars, and then keeps us waiting. */
const stalls = (world: World, after: number): PeerModel => ({
  ...honest(world),
  byRange: (request) => ({ sent: honestRange(world, request).slice(0, after), isLeftOpen: true }),
  byRoot: () => ({ sent: [], isLeftOpen: true })
})

const settled = Effect.repeatN(Effect.yieldNow({ priority: 1 }), 49)

describe("a probe that we cut", () => {
  for (const why of ["room", "time"] as const) {
    it.effect(`for want of ${why} keeps what came, and the rest is untested`, () =>
      Effect.gen(function* () {
        const world = world16()
        const cut = yield* Deferred.make<Cut>()
        const asking = yield* Effect.fork(cutBy(cut)(probe(world, stalls(world, 11), jobOver(0, 16))))
        yield* settled
        assert.isNull(asking.unsafePoll())
        yield* Deferred.succeed(cut, why)
        const result = yield* Fiber.join(asking)
        assert.deepStrictEqual(kinds(result.probe.outcomes), { success: 11 })
        assert.strictEqual(result.conversation, "answered")
        assert.isTrue(Option.isNone(result.error))
        assert.deepStrictEqual(world.requests, ["by_range"])
      })
    )
  }

  it.effect("before anything came is none, unless the peer had all its time", () =>
    Effect.gen(function* () {
      const world = world16()
      const cut = yield* Deferred.make<Cut>()
      yield* Deferred.succeed(cut, "room")
      const error = yield* Effect.flip(cutBy(cut)(probe(world, stalls(world, 0), jobOver(0, 16))))
      assert.match(error.message, /too many slow peers/)
      const late = yield* Deferred.make<Cut>()
      yield* Deferred.succeed(late, "time")
      const result = yield* cutBy(late)(probe(world, stalls(world, 0), jobOver(0, 16)))
      assert.deepStrictEqual(result.probe.outcomes, [])
      assert.strictEqual(result.conversation, "unanswered")
    })
  )

  it.effect("while it asks again settles nothing: ours for want of room, an escape of one that drags it out", () =>
    Effect.gen(function* () {
      const world = world16()
      const suspected = suspicionsOf(yield* probe(world, silent(world), jobOver(4, 1)))
      for (const [why, settling] of [
        ["time", "escaped"],
        ["room", undefined]
      ] as const) {
        const cut = yield* Deferred.make<Cut>()
        yield* Deferred.succeed(cut, why)
        const asked = Effect.either(cutBy(cut)(askAgain(world, stalls(world, 0), suspected)))
        const again = Option.getRight(yield* asked)
        assert.strictEqual(Option.getOrUndefined(Option.flatMap(again, (result) => result.settling)), settling)
        assert.isTrue(Option.isNone(again) || again.value.probe.outcomes.length === 0)
      }
    })
  )

  it.effect("is not settled by one column of what the peer drags out", () =>
    Effect.gen(function* () {
      const world = world16()
      const suspected = suspicionsOf(yield* probe(world, silent(world), jobOver(4, 1)))
      const cut = yield* Deferred.make<Cut>()
      const drips: PeerModel = {
        ...silent(world),
        byRoot: (request) => ({ sent: honest(world).byRoot(request).sent.slice(0, 1), isLeftOpen: true })
      }
      const asking = yield* Effect.fork(cutBy(cut)(askAgain(world, drips, suspected)))
      yield* settled
      yield* Deferred.succeed(cut, "time")
      const again = yield* Fiber.join(asking)
      assert.deepStrictEqual(kinds(again.probe.outcomes), { success: 1 })
      assert.deepStrictEqual([again.conversation, Option.getOrNull(again.settling)], ["answered", "escaped"])
    })
  )

  it.effect("keeps what it has room for, where that is less than it asks for", () =>
    Effect.gen(function* () {
      const world = world16()
      const result = yield* cutBy(yield* Deferred.make<Cut>(), 5 * 56)(probe(world, honest(world), jobOver(0, 16)))
      assert.deepStrictEqual(kinds(result.probe.outcomes), { success: 5 })
      assert.strictEqual(result.conversation, "answered")
    })
  )
})

describe("a peer whose columns are guilty", () => {
  it.effect(
    "is not verified further than a few of them, and last from then on; what was not looked at is untested",
    () =>
      Effect.gen(function* () {
        const world = world16()
        const asked: Array<VerifyOptions | undefined> = []
        const verifier = Layer.succeed(
          Verifier,
          Verifier.of({
            verify: (sidecars, options) => {
              asked.push(options)
              return Effect.succeed(
                sidecars.map((_, index): SidecarVerdict => {
                  if (index < 2) return { _tag: "Valid" }
                  return index < 5 ? { _tag: "Invalid", check: "kzg_proof", detail: "no" } : { _tag: "Skipped" }
                })
              )
            }
          })
        )
        const request = {
          address: peer,
          nodeId,
          claims: claimsOf(statement(8)),
          confirms: [],
          agent: Option.none(),
          remoteAddress: Option.none()
        }
        yield* Effect.gen(function* () {
          const prober = yield* Prober
          const one = yield* prober.probe({ ...request, job: jobOver(0, 16) })
          assert.deepStrictEqual(kinds(one.probe.outcomes), { success: 2, invalid: 3 })
          assert.lengthOf(one.evidence, 3)
          yield* prober.probe({ ...request, job: jobOver(0, 16) })
          yield* prober.probe({ ...request, job: jobOver(0, 16), address: { ...peer, peerId: "another" } })
          assert.deepStrictEqual(asked, [
            { mostGuilty: 3, isLast: false },
            { mostGuilty: 3, isLast: true },
            { mostGuilty: 3, isLast: false }
          ])
        }).pipe(
          Effect.provide(Prober.layer.pipe(Layer.provide(verifier), Layer.provide(layerWorld(world, honest(world)))))
        )
      })
  )
})

describe("an answer of which everything came, and whose stream was left open", () => {
  it.effect("is answered, with a finding, by range and by root", () =>
    Effect.gen(function* () {
      const world = world16()
      const silence = new ProbeTimeout({ stage: "body", afterMs: 10_000 })
      const model: PeerModel = {
        ...honest(world),
        byRange: (request) => ({ sent: honestRange(world, request), error: silence }),
        byRoot: (request) => ({ ...honest(world).byRoot(request), error: silence })
      }
      const result = yield* probe(world, model, jobOver(0, 16))
      assert.deepStrictEqual(kinds(result.probe.outcomes), { success: due16 * custody.length })
      assert.strictEqual(result.conversation, "answered")
      assert.deepStrictEqual(
        result.probe.findings.map(({ kind }) => kind),
        ["stream_left_open"]
      )
      const suspected = suspicionsOf(yield* probe(world, silent(world), jobOver(4, 1)))
      const again = yield* askAgain(world, model, suspected)
      assert.deepStrictEqual([again.conversation, Option.getOrNull(again.settling)], ["answered", "settled"])
    })
  )
})
