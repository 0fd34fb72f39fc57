import { assert, describe, it } from "@effect/vitest"
import { Effect, Either, FastCheck as fc, Layer, Option, TestClock } from "effect"
import type { ClaimHistory } from "../../src/domain/peer/ClaimHistory.ts"
import { forkDigestOfSlot } from "../../src/domain/network/ForkDigest.ts"
import type { Job, Outcome } from "../../src/domain/probe/Job.ts"
import {
  blameOf,
  ColumnsUnavailable,
  MalformedResponse,
  PeerDisconnected,
  PeerRefused,
  ProbeTimeout,
  type RequestError
} from "../../src/domain/probe/Outcome.ts"
import { peekSidecar } from "../../src/domain/column/Sidecar.ts"
import { decodeEvidence, encodeEvidence } from "../../src/evidence/Evidence.ts"
import { Verifier } from "../../src/kzg/Verifier.ts"
import { LoopLag } from "../../src/runtime/LoopLag.ts"
import { Prober } from "../../src/probe/Prober.ts"
import type { ColumnsByRange, ColumnsOfBlock } from "../../src/wire/Requests.ts"
import {
  chain,
  claimOf,
  claimsOf,
  layerWorld,
  makeWorld,
  nodeId,
  peer,
  type PeerModel,
  reorg,
  type Reply,
  type Sent,
  statement,
  type World
} from "./FakeWorld.ts"

const custody = claimOf(statement(8)).columns
const jobOver = (startSlot: number, count: number): Job => ({ peerId: peer.peerId, startSlot, count, columns: custody })

const probe = (
  world: World,
  model: PeerModel,
  job: Job,
  over: { readonly lag?: Layer.Layer<LoopLag>; readonly verifier?: Layer.Layer<Verifier> } = {},
  claims: ClaimHistory = claimsOf(statement(8))
) =>
  Effect.flatMap(Prober, (prober) =>
    prober.probe({
      address: peer,
      nodeId,
      claims,
      job,
      agent: Option.some("Nimbus/v1"),
      remoteAddress: Option.none()
    })
  ).pipe(
    Effect.provide(
      Prober.layer.pipe(
        Layer.provide(over.lag ?? Layer.empty),
        Layer.provide(over.verifier ?? Layer.empty),
        Layer.provide(layerWorld(world, model))
      )
    )
  )

/** Every column of every block with blobs that was asked for, in order. */
const honestRange = (world: World, { columns, count, startSlot }: ColumnsByRange): ReadonlyArray<Sent> =>
  [...world.canonical.values()]
    .filter(({ commitments, slot }) => commitments.length > 0 && slot >= startSlot && slot < startSlot + count)
    .sort((a, b) => a.slot - b.slot)
    .flatMap(({ slot }) => columns.filter((column) => custody.includes(column)).map((column) => ({ slot, column })))

const honestRoot = (world: World, request: ReadonlyArray<ColumnsOfBlock>): ReadonlyArray<Sent> =>
  request.flatMap(({ blockRoot, columns }) => {
    const block = [...world.canonical.values(), ...world.orphans.values()].find(({ root }) => root === blockRoot)
    return block === undefined || block.commitments.length === 0
      ? []
      : columns
          .filter((column) => custody.includes(column))
          .map((column) => ({ slot: block.slot, column, root: block.root }))
  })

const honest = (world: World): PeerModel => ({
  byRange: (request) => ({ sent: honestRange(world, request) }),
  byRoot: (request) => ({ sent: honestRoot(world, request) }),
  statement: () => Either.right(statement(8))
})

const world16 = () => makeWorld(new Map(Array.from({ length: 16 }, (_, slot) => [slot, slot % 3])))
const due16 = 16 - 6

const kinds = (outcomes: ReadonlyArray<Outcome>): Record<string, number> => {
  const counts: Record<string, number> = {}
  for (const { outcome } of outcomes) counts[outcome] = (counts[outcome] ?? 0) + 1
  return counts
}
const blamed = (outcomes: ReadonlyArray<Outcome>) => outcomes.filter(({ outcome }) => blameOf[outcome] === "peer")

describe("an honest answer", () => {
  it.effect("makes every due combination a success, with one request", () =>
    Effect.gen(function* () {
      const world = world16()
      const { conversation, probe: result } = yield* probe(world, honest(world), jobOver(0, 16))
      assert.deepStrictEqual(kinds(result.outcomes), { success: due16 * custody.length })
      assert.strictEqual(conversation, "answered")
      assert.deepStrictEqual(world.requests, ["by_range"])
      assert.deepStrictEqual(result.findings, [])
    })
  )

  it.effect("that stops at a block boundary is asked to go on, and never blamed", () =>
    Effect.gen(function* () {
      const world = world16()
      const model: PeerModel = {
        ...honest(world),
        byRange: (request) => {
          const all = honestRange(world, request)
          return { sent: all.filter(({ slot }) => slot === all[0]?.slot) }
        }
      }
      const { probe: result } = yield* probe(world, model, jobOver(0, 16))
      assert.deepStrictEqual(kinds(result.outcomes), { success: 3 * custody.length })
      assert.deepStrictEqual(world.requests, ["by_range", "by_range", "by_range"])
    })
  )
})

describe("what is left out", () => {
  it.effect("is missing only if a second request, by root, leaves it out again", () =>
    Effect.gen(function* () {
      const world = world16()
      const gone = custody[2]
      const keeps = ({ column }: Sent) => column !== gone
      const model: PeerModel = {
        ...honest(world),
        byRange: (request) => ({ sent: honestRange(world, request).filter(keeps) }),
        byRoot: (request) => ({ sent: honestRoot(world, request).filter(keeps) })
      }
      const { conversation, probe: result } = yield* probe(world, model, jobOver(0, 16))
      assert.deepStrictEqual(kinds(result.outcomes), { success: due16 * 7, missing: due16 })
      assert.isTrue(blamed(result.outcomes).every(({ column }) => column === gone))
      assert.deepStrictEqual(world.requests, ["by_range", "by_root"])
      assert.strictEqual(conversation, "answered")
    })
  )

  it.effect("is a success if the second request brings it", () =>
    Effect.gen(function* () {
      const world = world16()
      const model: PeerModel = {
        ...honest(world),
        byRange: (request) => ({ sent: honestRange(world, request).filter(({ column }) => column !== custody[0]) })
      }
      const { probe: result } = yield* probe(world, model, jobOver(0, 16))
      assert.deepStrictEqual(kinds(result.outcomes), { success: due16 * 8 })
      assert.deepStrictEqual(result.findings, [
        {
          kind: "incomplete_answer",
          detail: `column ${custody[0]} of slot 1 (and ${due16 - 1} more) came only when asked for by root`
        }
      ])
    })
  )

  it.effect("is nobody's fault if the claim has moved past it by then", () =>
    Effect.gen(function* () {
      const world = world16()
      const model: PeerModel = {
        byRange: () => ({ sent: [] }),
        byRoot: () => ({ sent: [] }),
        statement: () => Either.right(statement(8, 14))
      }
      const { probe: result, statement: said } = yield* probe(world, model, jobOver(0, 16))
      assert.deepStrictEqual(kinds(result.outcomes), { missing: 8, unverifiable: (due16 - 1) * 8 })
      assert.isTrue(blamed(result.outcomes).every(({ slot }) => slot === 14))
      assert.deepStrictEqual(
        result.findings.map(({ kind }) => kind),
        ["claim_retracted"]
      )
      assert.isTrue(Option.isSome(said))
    })
  )

  it.effect("is nobody's fault if the peer would not say what it claims", () =>
    Effect.gen(function* () {
      const world = world16()
      const model: PeerModel = {
        byRange: () => ({ sent: [] }),
        byRoot: () => ({ sent: [] }),
        statement: () => Either.left(new PeerDisconnected({ stage: "handshake", detail: "reset" }))
      }
      const { probe: result } = yield* probe(world, model, jobOver(0, 16))
      assert.deepStrictEqual(kinds(result.outcomes), { unverifiable: due16 * 8 })
      assert.deepStrictEqual(result.findings, [])
    })
  )

  it.effect("is nobody's fault if the chain changed meanwhile, or cannot be asked", () =>
    Effect.gen(function* () {
      const world = world16()
      const model: PeerModel = {
        ...honest(world),
        byRange: () => ({ sent: [] }),
        byRoot: () => {
          reorg(world, 4, 2)
          return { sent: [] }
        }
      }
      const { probe: result } = yield* probe(world, model, jobOver(4, 1))
      assert.deepStrictEqual(kinds(result.outcomes), { unverifiable: 8 })

      const other = world16()
      const silent: PeerModel = {
        ...honest(other),
        byRange: () => {
          other.reachable = false
          return { sent: [] }
        },
        byRoot: () => ({ sent: [] })
      }
      const unreachable = yield* probe(other, silent, jobOver(4, 1))
      assert.deepStrictEqual(kinds(unreachable.probe.outcomes), { unverifiable: 8 })
    })
  )

  it.effect("is not asked for at all without ground truth", () =>
    Effect.gen(function* () {
      const world = world16()
      world.reachable = false
      const error = yield* Effect.flip(probe(world, honest(world), jobOver(0, 16)))
      assert.strictEqual(error._tag, "ExternsError")
      assert.deepStrictEqual(world.requests, [])
    })
  )
})

describe("a verifier that answers too short, or too long", () => {
  for (const [name, change] of [
    ["short", -1],
    ["long", 1]
  ] as const) {
    it.effect(`proves nothing, for the peer or against it: too ${name}`, () =>
      Effect.gen(function* () {
        const world = world16()
        const broken = Layer.succeed(
          Verifier,
          Verifier.of({
            verify: (sidecars) =>
              Effect.succeed(Array.from({ length: sidecars.length + change }, () => ({ _tag: "Valid" as const })))
          })
        )
        const { probe: result } = yield* probe(world, honest(world), jobOver(0, 16), { verifier: broken })
        assert.deepStrictEqual(kinds(result.outcomes), { unverifiable: due16 * 8 })
        assert.isTrue(result.outcomes.every(({ reason }) => reason?.includes("verifier_failed")))
      })
    )
  }
})

describe("a sidecar of another block", () => {
  it.effect("is invalid, unless that block was canonical once", () =>
    Effect.gen(function* () {
      const world = world16()
      reorg(world, 5, 2)
      const orphan = [...world.orphans.keys()][0] ?? ""
      const roots = new Map([
        [4, forged],
        [5, orphan]
      ])
      const model: PeerModel = {
        ...honest(world),
        byRange: (request) => ({
          sent: honestRange(world, request).map((sent) => {
            const root = roots.get(sent.slot)
            return { slot: sent.slot, column: sent.column, ...(root === undefined ? {} : { root }) }
          })
        })
      }
      const { probe: result } = yield* probe(world, model, jobOver(4, 4))
      assert.deepStrictEqual(kinds(result.outcomes), { invalid: 8, unverifiable: 8, success: 8 })
      assert.isTrue(blamed(result.outcomes).every(({ check, slot }) => slot === 4 && check === "header"))
    })
  )
})

describe("an answer that ends badly", () => {
  const cases: ReadonlyArray<readonly [RequestError, Outcome["outcome"], string]> = [
    [new ProbeTimeout({ stage: "body", afterMs: 10_000 }), "timeout", "unanswered"],
    [new PeerDisconnected({ stage: "body", detail: "reset" }), "disconnected", "unanswered"],
    [new PeerRefused({ reason: "rate_limited", detail: "slow down" }), "refused", "refused"],
    [new MalformedResponse({ detail: "bad CRC" }), "malformed", "answered"],
    [new ColumnsUnavailable({ detail: "pruned" }), "unavailable", "answered"]
  ]
  for (const [error, kind, conversation] of cases) {
    it.effect(`${error._tag} keeps what came before, and makes the rest ${kind}`, () =>
      Effect.gen(function* () {
        const world = world16()
        const model: PeerModel = {
          ...honest(world),
          byRange: (request) => ({ sent: honestRange(world, request).slice(0, 11), error })
        }
        const result = yield* probe(world, model, jobOver(0, 16))
        assert.deepStrictEqual(kinds(result.probe.outcomes), { success: 11, [kind]: due16 * 8 - 11 })
        assert.strictEqual(result.conversation, conversation)
        assert.deepStrictEqual(world.requests, ["by_range"])
      })
    )
  }

  it.effect("a timeout while we were too busy to listen is ours", () =>
    Effect.gen(function* () {
      const world = world16()
      const model: PeerModel = {
        ...honest(world),
        byRange: () => ({ sent: [], error: new ProbeTimeout({ stage: "firstChunk", afterMs: 5000 }) })
      }
      const busy = Layer.succeed(LoopLag, LoopLag.of({ worstSince: () => Effect.succeed(4000) }))
      const { probe: result } = yield* probe(world, model, jobOver(0, 16), { lag: busy })
      assert.deepStrictEqual(kinds(result.outcomes), { unverifiable: due16 * 8 })
    })
  )
})

describe("findings", () => {
  it.effect("duplicate, unordered and unrequested sidecars are told, and the columns count all the same", () =>
    Effect.gen(function* () {
      const world = world16()
      const model: PeerModel = {
        ...honest(world),
        byRange: (request) => {
          const all = [...honestRange(world, request)].reverse()
          return { sent: [...all, ...all.slice(0, 2), { slot: 1, column: custody[0] ?? 0 }] }
        }
      }
      const { probe: result } = yield* probe(world, model, jobOver(4, 4))
      assert.deepStrictEqual(kinds(result.outcomes), { success: 24 })
      assert.deepStrictEqual(
        result.findings.map(({ kind }) => kind),
        ["unordered_sidecar", "duplicate_sidecar", "unrequested_sidecar"]
      )
    })
  )

  it.effect("a flood of what nobody asked for is malformed", () =>
    Effect.gen(function* () {
      const world = world16()
      const flood = Array.from({ length: 5000 }, () => ({ slot: 15, column: 3 }))
      const model: PeerModel = { ...honest(world), byRange: () => ({ sent: flood }) }
      const { probe: result } = yield* probe(world, model, jobOver(4, 1))
      assert.deepStrictEqual(kinds(result.outcomes), { malformed: 8 })
    })
  )
})

/** What may happen to an honest peer while it is asked. */
const mishaps = fc.record({
  blobs: fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 8, maxLength: 24 }),
  cuts: fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 4 }),
  endsBadly: fc.option(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 60 })), { nil: undefined }),
  newEarliest: fc.option(fc.integer({ min: 0, max: 24 }), { nil: undefined }),
  reorgs: fc.array(fc.tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 2 })), { maxLength: 4 })
})

describe("no honest peer is ever blamed", () => {
  it.effect.prop(
    "whatever is cut off, lost, moved or reorganised meanwhile",
    [mishaps],
    ([happening]) =>
      Effect.gen(function* () {
        const world = makeWorld(new Map(happening.blobs.map((blobs, slot) => [slot, blobs])))
        let requests = 0
        let earliest = 0
        const reply = (sent: ReadonlyArray<Sent>): Reply => {
          const cut = happening.cuts[requests++ % happening.cuts.length] ?? 1
          const has = sent.filter(({ slot }) => slot >= earliest)
          const slots = new Set([...new Set(has.map(({ slot }) => slot))].slice(0, cut))
          const whole = has.filter(({ slot }) => slots.has(slot))
          // The peer reorganises with the rest of the network, and its claim moves, between two answers.
          for (const [slot, blobs] of happening.reorgs) if (world.canonical.has(slot)) reorg(world, slot, blobs)
          earliest = happening.newEarliest ?? 0
          if (happening.endsBadly === undefined || happening.endsBadly[0] !== requests) return { sent: whole }
          const error = new PeerDisconnected({ stage: "body", detail: "reset" })
          return { sent: whole.slice(0, happening.endsBadly[1]), error }
        }
        const pinned = (sent: ReadonlyArray<Sent>) =>
          sent.map((one) => ({ ...one, root: one.root ?? world.canonical.get(one.slot)?.root ?? "" }))
        const model: PeerModel = {
          byRange: (request) => reply(pinned(honestRange(world, request))),
          byRoot: (request) => reply(pinned(honestRoot(world, request))),
          statement: () => Either.right(statement(8, earliest))
        }
        const { probe: result } = yield* probe(world, model, jobOver(0, happening.blobs.length))
        assert.deepStrictEqual(blamed(result.outcomes), [])
        const places = result.outcomes.map(({ column, slot }) => `${slot}/${column}`)
        assert.strictEqual(new Set(places).size, places.length)
      }),
    { fastCheck: { seed: 7, numRuns: 150 } }
  )

  it.effect.prop(
    "and a peer that lacks something is never blamed for more than that",
    [fc.array(fc.tuple(fc.integer({ min: 0, max: 15 }), fc.integer({ min: 0, max: 7 })), { maxLength: 20 }), mishaps],
    ([lacks, { cuts }]) =>
      Effect.gen(function* () {
        const world = world16()
        const lacking = new Set(lacks.map(([slot, index]) => `${slot}/${custody[index]}`))
        let requests = 0
        const keep = (sent: ReadonlyArray<Sent>): Reply => {
          const has = sent.filter(({ column, slot }) => !lacking.has(`${slot}/${column}`))
          const slots = new Set([...new Set(has.map(({ slot }) => slot))].slice(0, cuts[requests++ % cuts.length]))
          return { sent: has.filter(({ slot }) => slots.has(slot)) }
        }
        const model: PeerModel = {
          ...honest(world),
          byRange: (request) => keep(honestRange(world, request)),
          byRoot: (request) => keep(honestRoot(world, request))
        }
        const { probe: result } = yield* probe(world, model, jobOver(0, 16))
        for (const { column, outcome, slot } of result.outcomes) {
          assert.strictEqual(outcome, lacking.has(`${slot}/${column}`) ? "missing" : "success")
        }
      }),
    { fastCheck: { seed: 8, numRuns: 80 } }
  )
})

describe("the edge of the retention", () => {
  it.effect("may pass what was asked for meanwhile: then nobody lacks it", () =>
    Effect.gen(function* () {
      const world = world16()
      const silent: PeerModel = { ...honest(world), byRange: () => ({ sent: [] }), byRoot: () => ({ sent: [] }) }
      yield* TestClock.setTime((chain.retentionEpochs + 4) * chain.slotsPerEpoch * chain.slotDurationMs)
      const { probe: result } = yield* probe(world, silent, jobOver(0, 16))
      assert.deepStrictEqual(kinds(result.outcomes), { unverifiable: due16 * 8 })
      assert.isTrue(result.outcomes.every(({ reason }) => reason?.includes("no_longer_owed")))
    })
  )
})

describe("what is not claimed", () => {
  it.effect.prop(
    "is never judged, whatever is asked and whatever comes",
    [
      fc.record({
        start: fc.integer({ min: 0, max: 15 }),
        count: fc.integer({ min: 1, max: 16 }),
        earliest: fc.integer({ min: 0, max: 20 }),
        head: fc.integer({ min: 0, max: 20 }),
        joined: fc.integer({ min: 0, max: 20 }),
        sends: fc.constantFrom("all", "nothing", "another block")
      })
    ],
    ([{ count, earliest, head, joined, sends, start }]) =>
      Effect.gen(function* () {
        const world = world16()
        const said = { ...statement(8, earliest), headSlot: head }
        const late = custody[7] ?? -1
        const sent = (all: ReadonlyArray<Sent>): Reply => ({
          sent: sends === "nothing" ? [] : sends === "all" ? all : all.map((one) => ({ ...one, root: forged }))
        })
        const model: PeerModel = {
          byRange: (request) => sent(honestRange(world, request)),
          byRoot: (request) => sent(honestRoot(world, request)),
          statement: () => Either.right(said)
        }
        const claims = { current: claimOf(said), joined: new Map([[late, joined]]) }
        const { probe: result } = yield* probe(world, model, jobOver(start, count), {}, claims)
        for (const { column, slot } of result.outcomes) {
          assert.isTrue(slot >= start && slot < start + count && slot >= earliest && slot <= head)
          assert.isTrue(column !== late || slot >= joined)
        }
        const due = [...world.canonical.values()].filter(
          ({ commitments, slot }) =>
            commitments.length > 0 && slot >= Math.max(start, earliest) && slot <= Math.min(start + count - 1, head)
        )
        const lacksLate = due.filter(({ slot }) => slot < joined).length
        assert.lengthOf(result.outcomes, due.length * 8 - lacksLate)
      }),
    { fastCheck: { seed: 9, numRuns: 150 } }
  )
})

const forged = `0x${"ee".repeat(32)}`

describe("evidence", () => {
  it.effect("is there for every invalid column, with what was asked, what came and what it was held against", () =>
    Effect.gen(function* () {
      const world = world16()
      const other = `0x${"99".repeat(32)}`
      const model: PeerModel = {
        ...honest(world),
        byRange: (request) => ({
          sent: honestRange(world, request)
            .filter(({ slot }) => slot !== 4)
            .map((sent) => (sent.slot === 2 && sent.column === custody[0] ? { ...sent, root: other } : sent))
        }),
        byRoot: (request) => ({
          sent: honestRoot(world, request).map((sent) => (sent.column === custody[1] ? { ...sent, root: other } : sent))
        })
      }
      const { evidence, probe: result } = yield* probe(world, model, jobOver(0, 16))
      assert.deepStrictEqual(kinds(result.outcomes), { success: due16 * 8 - 2, invalid: 2 })
      const judged = evidence.map(({ accusation, block, request }): ReadonlyArray<unknown> => [
        block.slot,
        accusation.column,
        request.asked
      ])
      assert.deepStrictEqual(judged, [
        [2, custody[0], { by: "range", startSlot: 0, count: 16, columns: custody }],
        [4, custody[1], { by: "root", blocks: [{ blockRoot: world.canonical.get(4)?.root, columns: custody }] }]
      ])
      const [first] = evidence
      if (first === undefined) return assert.fail()
      assert.deepStrictEqual(first.peer, { peerId: peer.peerId, agent: "Nimbus/v1", address: null })
      assert.deepStrictEqual(
        first.request.protocol,
        "/eth2/beacon_chain/req/data_column_sidecars_by_range/1/ssz_snappy"
      )
      assert.deepStrictEqual([first.block.root, first.block.fork], [world.canonical.get(2)?.root, "gloas"])
      assert.strictEqual(Either.getOrThrow(peekSidecar("gloas", first.chunk.ssz)).blockRoot, other)
      assert.strictEqual(first.chunk.context, forkDigestOfSlot(chain, 2))
      assert.deepStrictEqual(decodeEvidence(encodeEvidence(first)), Either.right(first))
    })
  )

  it.effect("is not there for what a reorg excuses, before the verdict or after it", () =>
    Effect.gen(function* () {
      const world = world16()
      const old = world.canonical.get(2)?.root ?? ""
      reorg(world, 2, 1)
      const model: PeerModel = {
        ...honest(world),
        byRange: (request) => ({
          sent: honestRange(world, request).map((sent) =>
            sent.slot === 2
              ? { ...sent, root: old }
              : sent.slot === 4
                ? { ...sent, root: `0x${"99".repeat(32)}` }
                : sent
          )
        }),
        byRoot: (request) => {
          reorg(world, 4, 1)
          return { sent: honestRoot(world, request) }
        }
      }
      const asked = {
        ...model,
        byRange: (request: ColumnsByRange) => {
          const { sent } = model.byRange(request)
          return { sent: sent.filter(({ slot }) => slot !== 1) }
        }
      }
      const { evidence, probe: result } = yield* probe(world, asked, jobOver(0, 16))
      assert.deepStrictEqual(kinds(result.outcomes), { success: (due16 - 2) * 8, unverifiable: 2 * 8 })
      assert.deepStrictEqual(evidence, [])
    })
  )
})
