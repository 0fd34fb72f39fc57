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
import {
  chain,
  finalRoot,
  claimOf,
  claimsOf,
  makeWorld,
  peer,
  type PeerModel,
  reorg,
  type Reply,
  type Sent,
  statement,
  type World
} from "./FakeWorld.ts"
import {
  askAgain,
  custody,
  due16,
  first,
  honest,
  honestRange,
  honestRoot,
  jobOver,
  kinds,
  probe,
  silent,
  suspicionsOf,
  world16
} from "./Probes.ts"

/** Both conversations: the first about a job, and one about each slot that it suspects. */
const probeTwice = Effect.fnUntraced(function* (
  world: World,
  model: PeerModel,
  job: Job,
  later: PeerModel = model,
  claims: ClaimHistory = claimsOf(statement(8))
) {
  const first = yield* probe(world, model, job, {}, claims)
  assert.isEmpty(blamed(first.probe.outcomes).filter(({ outcome }) => outcome !== "invalid"))
  world.requests.splice(0)
  const again = yield* Effect.forEach(suspicionsOf(first), (confirms) =>
    probe(
      world,
      later,
      {
        peerId: peer.peerId,
        startSlot: confirms.slot,
        count: 1,
        columns: confirms.columns.map(({ column }) => column)
      },
      { confirms },
      claims
    )
  )
  const last = new Map(
    [first, ...again].flatMap(({ probe }) => probe.outcomes.map((one) => [`${one.slot}/${one.column}`, one]))
  )
  return { first, again, outcomes: [...last.values()] }
})

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
      assert.deepStrictEqual(kinds(result.outcomes), { success: 4 * custody.length })
      assert.deepStrictEqual(world.requests, ["by_range", "by_range", "by_range", "by_range"])
    })
  )
})

describe("what is left out", () => {
  it.effect("is suspected, and missing only if a later conversation leaves it out again, by root and by range", () =>
    Effect.gen(function* () {
      const world = world16()
      const gone = custody[2]
      const keeps = ({ column }: Sent) => column !== gone
      const model: PeerModel = {
        ...honest(world),
        byRange: (request) => ({ sent: honestRange(world, request).filter(keeps) }),
        byRoot: (request) => ({ sent: honestRoot(world, request).filter(keeps) })
      }
      const { again, first, outcomes } = yield* probeTwice(world, model, jobOver(0, 16))
      assert.deepStrictEqual(kinds(first.probe.outcomes), { success: due16 * 7, suspected: due16 })
      assert.strictEqual(first.conversation, "answered")
      assert.deepStrictEqual(kinds(outcomes), { success: due16 * 7, missing: due16 })
      assert.isTrue(blamed(outcomes).every(({ column }) => column === gone))
      assert.deepStrictEqual(world.requests.slice(0, 2), ["by_root", "by_range"])
      assert.isTrue(
        again.every(({ probe, settling }) => probe.purpose === "confirmation" && Option.contains(settling, "settled"))
      )
    })
  )

  it.effect("is a success if the second request of the first conversation brings it", () =>
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
          detail: `column ${custody[0]} of slot ${first + 1} (and ${due16 - 1} more) came only when asked for by root`
        }
      ])
    })
  )

  it.effect("is dropped if it is delivered later, whichever way", () =>
    Effect.gen(function* () {
      for (const way of ["byRange", "byRoot"] as const) {
        const world = world16()
        const { outcomes } = yield* probeTwice(world, silent(world), jobOver(0, 4), {
          ...silent(world),
          [way]: honest(world)[way]
        })
        assert.deepStrictEqual(kinds(outcomes), { success: 2 * 8 })
      }
    })
  )

  const escapes: ReadonlyArray<readonly [string, (world: World) => Partial<PeerModel>]> = [
    [
      "hangs up",
      () => ({ byRoot: () => ({ sent: [], error: new PeerDisconnected({ stage: "body", detail: "reset" }) }) })
    ],
    [
      "refuses by root",
      () => ({
        byRoot: () => ({
          sent: [],
          error: new PeerRefused({ reason: "server_error", detail: "code 2", resultCode: 2 })
        })
      })
    ],
    ["stalls", () => ({ byRoot: () => ({ sent: [], error: new ProbeTimeout({ stage: "body", afterMs: 10_000 }) }) })],
    [
      "does not say what it claims",
      () => ({ statement: () => Either.left(new PeerDisconnected({ stage: "handshake", detail: "" })) })
    ],
    ["no longer claims it", () => ({ statement: () => Either.right(statement(8, first + 900)) })],
    ["raises its claim to just below it", () => ({ statement: () => Either.right(statement(8, first)) })]
  ]
  for (const [name, model] of escapes) {
    it.effect(`stays unproven, and counts as an escape, if the peer ${name} when it is asked again`, () =>
      Effect.gen(function* () {
        const world = world16()
        const { again, outcomes } = yield* probeTwice(world, silent(world), jobOver(0, 4), {
          ...silent(world),
          ...model(world)
        })
        assert.isEmpty(blamed(outcomes))
        assert.isTrue(again.length > 0 && again.every(({ settling }) => Option.contains(settling, "escaped")))
      })
    )
  }

  it.effect("waits while it is not final, to us or to the peer, on one chain", () =>
    Effect.gen(function* () {
      const young = world16()
      young.finalized = 1
      const said = statement(8)
      const others = [
        { ...said, finalized: { epoch: 1, root: finalRoot(1) } },
        { ...said, finalized: { epoch: 16, root: finalRoot(99) } },
        { ...said, finalized: undefined }
      ]
      const worlds = [[young, said] as const, ...others.map((said) => [world16(), said] as const)]
      for (const [world, said] of worlds) {
        const model: PeerModel = { ...silent(world), statement: () => Either.right(said) }
        const { again, outcomes } = yield* probeTwice(world, model, jobOver(0, 4), model, claimsOf(said))
        assert.deepStrictEqual(kinds(outcomes), { suspected: 2 * 8 })
        assert.isTrue(again.every(({ settling }) => Option.contains(settling, "ours")))
      }
    })
  )

  it.effect("is missing only after two conversations in which it was final: clients move what becomes final", () =>
    Effect.gen(function* () {
      const world = world16()
      world.finalized = 1
      const young = yield* probe(world, silent(world), jobOver(4, 1))
      world.finalized = 16
      const second = yield* askAgain(world, silent(world), suspicionsOf(young))
      assert.deepStrictEqual(kinds(second.probe.outcomes), { suspected: 8 })
      const waiting = suspicionsOf(second, suspicionsOf(young))
      assert.deepInclude(waiting[0], { since: second.probe.finishedAt, attempts: 0 })
      const third = yield* askAgain(world, silent(world), waiting)
      assert.deepStrictEqual(kinds(third.probe.outcomes), { missing: 8 })
    })
  )

  it.effect(
    "is suspected once more where it is refused now: of two kinds of trouble it takes three conversations",
    () =>
      Effect.gen(function* () {
        const world = world16()
        const error = new ColumnsUnavailable({ detail: "code 3: Backfilling" })
        const refuses: PeerModel = {
          ...honest(world),
          byRange: () => ({ sent: [], error }),
          byRoot: () => ({ sent: [], error })
        }
        const one = suspicionsOf(yield* probe(world, silent(world), jobOver(4, 1)))
        const second = yield* askAgain(world, refuses, one)
        assert.deepStrictEqual(kinds(second.probe.outcomes), { suspected: 8 })
        const two = suspicionsOf(second, one)
        assert.deepStrictEqual(
          two[0]?.columns.map(({ suspicion }) => suspicion),
          custody.map(() => "unavailable")
        )
        assert.deepInclude(two[0], { since: second.probe.finishedAt, attempts: 0 })
        for (const [model, kind] of [
          [refuses, "unavailable"],
          [silent(world), "missing"]
        ] as const) {
          assert.deepStrictEqual(kinds((yield* askAgain(world, model, two)).probe.outcomes), { [kind]: 8 })
        }
        assert.deepStrictEqual(kinds((yield* askAgain(world, honest(world), two)).probe.outcomes), { success: 8 })
      })
  )

  it.effect("is nobody's fault if the chain changed meanwhile; a chain that cannot be asked leaves it open", () =>
    Effect.gen(function* () {
      const world = world16()
      const reorganising: PeerModel = {
        ...silent(world),
        byRoot: () => {
          reorg(world, first + 4, 2)
          return { sent: [] }
        }
      }
      const changed = yield* probeTwice(world, silent(world), jobOver(4, 1), reorganising)
      assert.deepStrictEqual(kinds(changed.outcomes), { unverifiable: 8 })

      const other = world16()
      const lost: PeerModel = {
        ...silent(other),
        byRoot: () => {
          other.reachable = false
          return { sent: [] }
        }
      }
      const unreachable = yield* probeTwice(other, silent(other), jobOver(4, 1), lost)
      assert.deepStrictEqual(kinds(unreachable.outcomes), { suspected: 8 })
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

  it.effect("proves nothing of a peer that does not say from when on it has columns (Status version 1)", () =>
    Effect.gen(function* () {
      const world = world16()
      const old = { ...statement(8), earliestAvailableSlot: undefined }
      const { probe: result } = yield* probe(world, silent(world), jobOver(0, 16), {}, claimsOf(old))
      assert.deepStrictEqual(kinds(result.outcomes), { unverifiable: due16 * 8 })
    })
  )

  it.effect(
    "is not held against a peer at the edge of its claim, where it may have the block and not its columns",
    () =>
      Effect.gen(function* () {
        const world = world16()
        const anchor = statement(8, first + 1)
        const model = { ...silent(world), statement: () => Either.right(anchor) }
        const { probe: result } = yield* probe(world, model, jobOver(0, 16), {}, claimsOf(anchor))
        assert.deepStrictEqual(kinds(result.outcomes), { unverifiable: due16 * 8 })
        assert.isTrue(result.outcomes.every(({ reason }) => reason?.includes("claim_edge")))
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
  it.effect("is asked for by root, and invalid if it comes again, unless that block was canonical once", () =>
    Effect.gen(function* () {
      const world = world16()
      reorg(world, first + 5, 2)
      const orphan = [...world.orphans.keys()][0] ?? ""
      const roots = new Map([
        [first + 4, forged],
        [first + 5, orphan]
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
      const honestByRoot = yield* probeTwice(world, model, jobOver(4, 4))
      assert.deepStrictEqual(kinds(honestByRoot.first.probe.outcomes), { suspected: 8, unverifiable: 8, success: 8 })
      assert.deepStrictEqual(kinds(honestByRoot.outcomes), { unverifiable: 8, success: 16 })

      const stubborn = { ...model, byRoot: () => ({ sent: [] }) }
      const { outcomes } = yield* probeTwice(world, stubborn, jobOver(4, 4))
      assert.deepStrictEqual(kinds(outcomes), { invalid: 8, unverifiable: 8, success: 8 })
      assert.isTrue(blamed(outcomes).every(({ check, slot }) => slot === first + 4 && check === "header"))
    })
  )
})

describe("cells that do not verify against the header of a final block", () => {
  const broken = Layer.succeed(
    Verifier,
    Verifier.of({
      verify: (sidecars) =>
        Effect.succeed(sidecars.map(() => ({ _tag: "Invalid" as const, check: "kzg_proof" as const, detail: "no" })))
    })
  )

  it.effect("are evidence, and need no second conversation", () =>
    Effect.gen(function* () {
      const world = world16()
      const { probe: result } = yield* probe(world, honest(world), jobOver(1, 1), { verifier: broken })
      assert.deepStrictEqual(kinds(result.outcomes), { invalid: 8 })
    })
  )

  it.effect("of one that is not final wait", () =>
    Effect.gen(function* () {
      const world = world16()
      world.finalized = 1
      const { evidence, probe: result } = yield* probe(world, honest(world), jobOver(1, 1), { verifier: broken })
      assert.deepStrictEqual(kinds(result.outcomes), { suspected: 8 })
      assert.isTrue(result.outcomes.every(({ check, suspicion }) => check === "kzg_proof" && suspicion === "invalid"))
      assert.isEmpty(evidence)
    })
  )
})

describe("an answer that ends badly", () => {
  const cases: ReadonlyArray<readonly [RequestError, Outcome["outcome"], string]> = [
    [new ProbeTimeout({ stage: "body", afterMs: 10_000 }), "timeout", "unanswered"],
    [new PeerDisconnected({ stage: "body", detail: "reset" }), "disconnected", "unanswered"],
    [new PeerRefused({ reason: "rate_limited", detail: "slow down" }), "refused", "refused"]
  ]
  for (const [error, kind, conversation] of cases) {
    it.effect(`${error._tag} keeps what came before, and makes the rest ${kind}, which proves nothing`, () =>
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

  it.effect("what cannot be read stands for the combination that was next, and the rest is untested", () =>
    Effect.gen(function* () {
      const world = world16()
      const model: PeerModel = {
        ...honest(world),
        byRange: (request) => ({
          sent: honestRange(world, request).slice(0, 11),
          error: new MalformedResponse({ detail: "bad CRC" })
        })
      }
      const result = yield* probe(world, model, jobOver(0, 16))
      assert.deepStrictEqual(kinds(result.probe.outcomes), { success: 11, suspected: 1 })
      const [suspected] = suspicionsOf(result)
      assert.deepStrictEqual(
        suspected?.columns.map(({ column, suspicion }) => [column, suspicion]),
        [[custody[3] ?? -1, "malformed"]]
      )
    })
  )

  it.effect("is malformed if it is so again", () =>
    Effect.gen(function* () {
      const world = world16()
      const error = new MalformedResponse({ detail: "bad CRC" })
      const model: PeerModel = {
        ...honest(world),
        byRange: () => ({ sent: [], error }),
        byRoot: () => ({ sent: [], error })
      }
      const { outcomes } = yield* probeTwice(world, model, jobOver(0, 16))
      assert.deepStrictEqual(kinds(outcomes), { malformed: 1 })
    })
  )

  it.effect("code 3 is about the start of the range: the next slots are asked for alone, then the rest", () =>
    Effect.gen(function* () {
      const world = world16()
      const edge = first + 4
      const model: PeerModel = {
        ...honest(world),
        byRange: (request) =>
          request.startSlot < edge
            ? { sent: [], error: new ColumnsUnavailable({ detail: "code 3: Backfilling" }) }
            : { sent: honestRange(world, request) }
      }
      const { again, first: one, outcomes } = yield* probeTwice(world, model, jobOver(0, 16))
      assert.deepStrictEqual(kinds(one.probe.outcomes), { suspected: 2 * 8, success: (due16 - 2) * 8 })
      // It has them all the same, by root.
      assert.deepStrictEqual(kinds(outcomes), { success: due16 * 8 })
      assert.lengthOf(again, 2)
    })
  )

  it.effect("code 3 for good, by root too, is unavailable for what was asked alone, and for nothing else", () =>
    Effect.gen(function* () {
      const world = world16()
      const error = new ColumnsUnavailable({ detail: "code 3" })
      const model: PeerModel = {
        ...honest(world),
        byRange: () => ({ sent: [], error }),
        byRoot: () => ({ sent: [], error })
      }
      const { outcomes } = yield* probeTwice(world, model, jobOver(0, 16))
      assert.deepStrictEqual(kinds(outcomes), { unavailable: 4 * 8 })
    })
  )

  it.effect("a server error is about the slot at which it comes: the job goes on after it", () =>
    Effect.gen(function* () {
      const world = world16()
      const broken = first + 4
      const error = new PeerRefused({ reason: "server_error", detail: "code 2: internal service error", resultCode: 2 })
      const model: PeerModel = {
        ...honest(world),
        byRange: (request) => {
          const all = honestRange(world, request)
          const isHit = all.some(({ slot }) => slot === broken)
          return isHit ? { sent: all.filter(({ slot }) => slot < broken), error } : { sent: all }
        },
        byRoot: () => ({ sent: [], error })
      }
      const { again, first: one, outcomes } = yield* probeTwice(world, model, jobOver(0, 16))
      assert.strictEqual(one.conversation, "answered")
      assert.deepStrictEqual(kinds(outcomes), { suspected: 8, success: (due16 - 1) * 8 })
      // Once or twice it may be passing trouble.
      assert.deepStrictEqual(
        again.map(({ settling }) => Option.getOrNull(settling)),
        ["ours"]
      )
      const [suspected] = suspicionsOf(one)
      if (suspected === undefined) return assert.fail()
      const third = yield* probe(world, model, jobOver(4, 1), { confirms: { ...suspected, attempts: 2 } })
      assert.strictEqual(Option.getOrNull(third.settling), "escaped")
      assert.deepStrictEqual(
        third.probe.findings.map(({ kind }) => kind),
        ["repeated_server_error"]
      )
      // What is cleanly absent there later is absent for the first time.
      const absent = yield* probe(world, silent(world), jobOver(4, 1), { confirms: suspected })
      assert.deepStrictEqual(kinds(absent.probe.outcomes), { suspected: 8 })
    })
  )

  it.effect(
    "where it breaks off it is asked for alone, later; only what is absent then is suspected, for the first time",
    () =>
      Effect.gen(function* () {
        const world = world16()
        const error = new PeerDisconnected({ stage: "body", detail: "reset" })
        const model: PeerModel = {
          ...honest(world),
          byRange: (request) => ({ sent: honestRange(world, request).slice(0, 11), error }),
          byRoot: () => ({ sent: [], error })
        }
        const one = yield* probe(world, model, jobOver(0, 16))
        const [broken, ...more] = suspicionsOf(one)
        if (broken === undefined) return assert.fail()
        assert.isEmpty(more)
        assert.deepStrictEqual([broken.slot, broken.columns.length], [first + 2, 5])
        const again = yield* probe(world, model, jobOver(2, 1), { confirms: broken })
        assert.deepStrictEqual(kinds(again.probe.outcomes), { disconnected: 5 })
        assert.strictEqual(Option.getOrNull(again.settling), "ours")
        const third = yield* probe(world, model, jobOver(2, 1), { confirms: { ...broken, attempts: 2 } })
        assert.strictEqual(Option.getOrNull(third.settling), "escaped")
        const absent = yield* probe(world, silent(world), jobOver(2, 1), { confirms: broken })
        assert.deepStrictEqual(kinds(absent.probe.outcomes), { suspected: 5 })
        const there = yield* probe(world, honest(world), jobOver(2, 1), { confirms: broken })
        assert.deepStrictEqual(kinds(there.probe.outcomes), { success: 5 })
      })
  )

  it.effect("a timeout while we were too busy to listen is ours", () =>
    Effect.gen(function* () {
      const world = world16()
      const model: PeerModel = {
        ...honest(world),
        byRange: () => ({ sent: [], error: new ProbeTimeout({ stage: "firstChunk", afterMs: 5000 }) })
      }
      const busy = Layer.succeed(LoopLag, LoopLag.of({ worstSince: () => Effect.succeed(4000) }))
      const { conversation, error, probe: result } = yield* probe(world, model, jobOver(0, 16), { lag: busy })
      assert.deepStrictEqual(kinds(result.outcomes), { unverifiable: due16 * 8 })
      assert.deepStrictEqual([conversation, error], ["answered", Option.none()])
    })
  )

  it.effect(
    "a connection that is lost while the whole process was stopped is ours too, and no way out of a question",
    () =>
      Effect.gen(function* () {
        const world = world16()
        const lost = new PeerDisconnected({ stage: "body", detail: "reset" })
        const model: PeerModel = {
          ...honest(world),
          byRange: () => ({ sent: [], error: lost }),
          byRoot: () => ({ sent: [], error: lost })
        }
        const stopped = Layer.succeed(LoopLag, LoopLag.of({ worstSince: () => Effect.succeed(60_000) }))
        const sampled = yield* probe(world, model, jobOver(0, 16), { lag: stopped })
        assert.deepStrictEqual(kinds(sampled.probe.outcomes), { unverifiable: due16 * 8 })
        assert.deepStrictEqual([sampled.conversation, sampled.error], ["answered", Option.none()])
        assert.isFalse(sampled.probe.outcomes.some(({ suspicion }) => suspicion !== undefined))
        const [confirms] = suspicionsOf(yield* probe(world, silent(world), jobOver(2, 1)))
        if (confirms === undefined) return assert.fail()
        const asked = yield* probe(world, model, jobOver(2, 1), { confirms, lag: stopped })
        assert.strictEqual(Option.getOrNull(asked.settling), "ours")
        assert.strictEqual(asked.conversation, "answered")
        // The same while nothing was late is the peer's.
        const own = yield* probe(world, model, jobOver(2, 1), { confirms })
        assert.strictEqual(Option.getOrNull(own.settling), "escaped")
        assert.strictEqual(own.conversation, "unanswered")
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
          return { sent: [...all, ...all.slice(0, 2), { slot: first + 1, column: custody[0] ?? 0 }] }
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

  it.effect("a flood of what nobody asked for cannot be read", () =>
    Effect.gen(function* () {
      const world = world16()
      const flood = Array.from({ length: 5000 }, () => ({ slot: first + 15, column: 3 }))
      const model: PeerModel = { ...honest(world), byRange: () => ({ sent: flood }) }
      const { probe: result } = yield* probe(world, model, jobOver(4, 1))
      assert.deepStrictEqual(kinds(result.outcomes), { suspected: 1 })
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
        const world = makeWorld(new Map(happening.blobs.map((blobs, index) => [first + index, blobs])))
        let requests = 0
        let earliest = 0
        const reply = (sent: ReadonlyArray<Sent>): Reply => {
          const cut = happening.cuts[requests++ % happening.cuts.length] ?? 1
          const has = sent.filter(({ slot }) => slot >= earliest)
          const slots = new Set([...new Set(has.map(({ slot }) => slot))].slice(0, cut))
          const whole = has.filter(({ slot }) => slots.has(slot))
          // The peer reorganises with the rest of the network, and its claim moves, between two answers.
          for (const [index, blobs] of happening.reorgs) {
            if (world.canonical.has(first + index)) reorg(world, first + index, blobs)
          }
          earliest = happening.newEarliest === undefined ? 0 : first + happening.newEarliest
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
        const { first: one, outcomes } = yield* probeTwice(world, model, jobOver(0, happening.blobs.length))
        assert.deepStrictEqual(blamed(outcomes), [])
        const places = one.probe.outcomes.map(({ column, slot }) => `${slot}/${column}`)
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
        const lacking = new Set(lacks.map(([slot, index]) => `${first + slot}/${custody[index]}`))
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
        const { outcomes } = yield* probeTwice(world, model, jobOver(0, 16))
        for (const { column, outcome, slot } of outcomes) {
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
      yield* TestClock.setTime((chain.retentionEpochs + 6) * chain.slotsPerEpoch * chain.slotDurationMs)
      const { outcomes } = yield* probeTwice(world, silent(world), jobOver(0, 16))
      assert.deepStrictEqual(kinds(outcomes), { unverifiable: due16 * 8 })
      assert.isTrue(outcomes.every(({ reason }) => reason?.includes("no_longer_owed")))
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
        earliest: fc.integer({ min: 30, max: first + 20 }),
        head: fc.integer({ min: first, max: first + 20 }),
        joined: fc.integer({ min: first, max: first + 20 }),
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
        const claims = { current: claimOf(said), joined: new Map([[late, joined]]), watchedFrom: 0 }
        const { probe: result } = yield* probe(world, model, jobOver(start, count), {}, claims)
        for (const { column, slot } of result.outcomes) {
          assert.isTrue(slot >= first + start && slot < first + start + count && slot >= earliest && slot <= head)
          assert.isTrue(column !== late || slot >= joined)
        }
        const due = [...world.canonical.values()].filter(
          ({ commitments, slot }) =>
            commitments.length > 0 &&
            slot >= Math.max(first + start, earliest) &&
            slot <= Math.min(first + start + count - 1, head)
        )
        const lacksLate = due.filter(({ slot }) => slot < joined).length
        assert.lengthOf(result.outcomes, due.length * 8 - lacksLate)
      }),
    { fastCheck: { seed: 9, numRuns: 150 } }
  )
})

const forged = `0x${"ee".repeat(32)}`

/** Finds the cells of these combinations wrong. */
const failing = (...places: ReadonlyArray<readonly [number, number | undefined]>) =>
  Layer.succeed(
    Verifier,
    Verifier.of({
      verify: (sidecars) =>
        Effect.succeed(
          sidecars.map(({ ssz }) => {
            const { index, slot } = Either.getOrThrow(peekSidecar("gloas", ssz))
            return places.some(([at, column]) => at === slot && column === index)
              ? { _tag: "Invalid" as const, check: "kzg_proof" as const, detail: "no" }
              : { _tag: "Valid" as const }
          })
        )
    })
  )

describe("evidence", () => {
  it.effect("is there for every invalid column, with what was asked, what came and what it was held against", () =>
    Effect.gen(function* () {
      const world = world16()
      const model: PeerModel = {
        ...honest(world),
        byRange: (request) => ({ sent: honestRange(world, request).filter(({ slot }) => slot !== first + 4) })
      }
      const verifier = failing([first + 2, custody[0]], [first + 4, custody[1]])
      const { evidence, probe: result } = yield* probe(world, model, jobOver(0, 16), { verifier })
      assert.deepStrictEqual(kinds(result.outcomes), { success: due16 * 8 - 2, invalid: 2 })
      const judged = evidence.map(({ accusation, block, request }): ReadonlyArray<unknown> => [
        block.slot,
        accusation.column,
        request.asked
      ])
      assert.deepStrictEqual(judged, [
        [first + 2, custody[0], { by: "range", startSlot: first, count: 16, columns: custody }],
        [
          first + 4,
          custody[1],
          { by: "root", blocks: [{ blockRoot: world.canonical.get(first + 4)?.root, columns: custody }] }
        ]
      ])
      const [piece] = evidence
      if (piece === undefined) return assert.fail()
      assert.deepStrictEqual(piece.peer, { peerId: peer.peerId, agent: "Nimbus/v1", address: null })
      assert.deepStrictEqual(
        piece.request.protocol,
        "/eth2/beacon_chain/req/data_column_sidecars_by_range/1/ssz_snappy"
      )
      const { root } = world.canonical.get(first + 2) ?? assert.fail()
      assert.deepStrictEqual([piece.block.root, piece.block.fork], [root, "gloas"])
      assert.strictEqual(Either.getOrThrow(peekSidecar("gloas", piece.chunk.ssz)).blockRoot, root)
      assert.strictEqual(piece.chunk.context, forkDigestOfSlot(chain, first + 2))
      assert.deepStrictEqual(decodeEvidence(encodeEvidence(piece)), Either.right(piece))
    })
  )

  it.effect("is not there for what a reorg excuses, before the verdict or after it", () =>
    Effect.gen(function* () {
      const world = world16()
      const old = world.canonical.get(first + 2)?.root ?? ""
      reorg(world, first + 2, 1)
      const model: PeerModel = {
        ...honest(world),
        byRange: (request) => ({
          sent: honestRange(world, request)
            .filter(({ slot }) => slot !== first + 1)
            .map((sent) => (sent.slot === first + 2 ? { ...sent, root: old } : sent))
        }),
        byRoot: (request) => {
          reorg(world, first + 4, 1)
          return { sent: honestRoot(world, request) }
        }
      }
      // Of an orphan the header is another one, and the cells of the other slot are wrong.
      const verifier = failing(
        ...custody.flatMap((column) => [[first + 2, column] as const, [first + 4, column] as const])
      )
      const { evidence, probe: result } = yield* probe(world, model, jobOver(0, 16), { verifier })
      assert.deepStrictEqual(kinds(result.outcomes), { success: (due16 - 2) * 8, unverifiable: 2 * 8 })
      assert.deepStrictEqual(evidence, [])
    })
  )
})
