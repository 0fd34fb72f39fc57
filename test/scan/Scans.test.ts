import { assert, describe, it } from "@effect/vitest"
import {
  Chunk,
  Context,
  Deferred,
  Duration,
  Effect,
  Either,
  Exit,
  Layer,
  Option,
  Scope,
  Stream,
  TestClock
} from "effect"
import type { CommitmentCache } from "../../src/chain/CommitmentCache.ts"
import { custodyColumns } from "../../src/domain/column/Custody.ts"
import type { ScanProgress } from "../../src/domain/Event.ts"
import * as MemoryEventBus from "../../src/events/MemoryEventBus.ts"
import { makeEventStream } from "../../src/events/EventStream.ts"
import { EventBus } from "../../src/events/EventBus.ts"
import * as MemoryEvidence from "../../src/evidence/MemoryEvidence.ts"
import { Reports } from "../../src/history/report/Reports.ts"
import type { Externs } from "../../src/host/Externs.ts"
import { Host } from "../../src/host/Host.ts"
import { ScanHost, type ScanSource } from "../../src/host/ScanHost.ts"
import { identityOf } from "../../src/devnet/peer/DevPeerIdentity.ts"
import { SelfDoubt } from "../../src/probe/SelfDoubt.ts"
import { Scans } from "../../src/scan/Scans.ts"
import { Daemons } from "../../src/runtime/Daemon.ts"
import { Doubts } from "../../src/runtime/Doubts.ts"
import { layerPunctual } from "../Seeded.ts"
import { layerSeams, nodeId, peer, type PeerModel, statement, type World } from "../probe/FakeWorld.ts"
import { honest } from "../probe/Probes.ts"
import { busyWorld } from "./ScanWorld.ts"

const addressOf = (peerId: string) => `/ip4/127.0.0.1/tcp/9000/p2p/${peerId}`
const [second, third] = [identityOf(1, "second").peerId, identityOf(1, "third").peerId]

const layerUndoubting = Layer.mock(SelfDoubt, {
  hear: () => Effect.die("a scan says nothing of the monitor"),
  hearFinality: () => Effect.die("a scan says nothing of the monitor"),
  hearOfBlocks: () => Effect.void,
  reason: Effect.succeedNone,
  reasonAt: Effect.succeed(() => Option.none()),
  publication: Effect.succeed(() => Option.none())
})

/** A monitor whose host makes nodes that reach everybody once `gate` is open; `open` counts those that are there. */
const monitored = Effect.fnUntraced(function* (
  world: World,
  model: PeerModel,
  gate: Effect.Effect<void> = Effect.void,
  doubt: Layer.Layer<SelfDoubt, never, Externs | CommitmentCache> = layerUndoubting
) {
  yield* TestClock.setTime(1_000_000)
  const seams = yield* Layer.build(layerSeams(world, model))
  const host = Context.get(seams, Host)
  const nodes = { open: 0 }
  const source: ScanSource = {
    listed: () => Effect.succeedNone,
    open: Effect.acquireRelease(
      Effect.sync(() => {
        nodes.open++
        return {
          host: Host.of({
            ...host,
            connect: ({ multiaddrs, peerId }) =>
              Effect.as(gate, { peerId, address: multiaddrs[0] ?? "", agent: Option.some("Lighthouse/v8") }),
            disconnect: () => Effect.void
          }),
          peerRefresh: () => Effect.suspend(() => model.statement()),
          gossip: { join: () => Effect.void, publish: () => Effect.succeed(0), columnTopicsOf: () => [] },
          identified: { protocolsOf: () => [] }
        }
      }),
      () => Effect.sync(() => void nodes.open--)
    )
  }
  const bus = yield* MemoryEventBus.make()
  const scans = yield* Effect.map(
    Layer.build(
      Scans.layer.pipe(
        Layer.provide([
          Layer.succeed(ScanHost, Option.some(source)),
          Layer.succeed(EventBus, bus),
          Layer.provide(doubt, Layer.succeedContext(seams)),
          MemoryEvidence.layer(),
          Reports.layerNone,
          Layer.succeedContext(seams),
          layerPunctual
        ])
      )
    ),
    Context.get(Scans)
  )
  return { scans, nodes, events: makeEventStream(bus) }
})

/** What a monitor with others around it thinks, of whom `giver` gave this column of every block; the test sees it too. */
const watching = Effect.fnUntraced(function* (world: World, giver: Option.Option<string>, column: number) {
  const seams = yield* Layer.build(layerSeams(world, honest(world)))
  const doubt = yield* Effect.map(
    Layer.build(
      SelfDoubt.layer({ confirmAfter: Duration.minutes(10), hearsOthers: true }).pipe(
        Layer.provide([Layer.succeedContext(seams), Doubts.layer, Daemons.layer])
      )
    ),
    Context.get(SelfDoubt)
  )
  const blocks = [...world.canonical.values()]
  const gave = (peerId: string, column: number) =>
    doubt.hear(
      peerId,
      Option.none(),
      blocks.map((block) => ({ block, column, error: Option.none() }))
    )
  for (const sound of ["a", "b", "c", "d", "e"]) yield* gave(sound, 127)
  if (Option.isSome(giver)) yield* gave(giver.value, column)
  return doubt
})

const elapse = (seconds: number) =>
  Effect.forEach(Array.from({ length: 2 * seconds }), () => TestClock.adjust("500 millis"), { discard: true })

describe("scans on demand", () => {
  it.scoped("are made by a node of their own, told as events, and can be read when they are over", () =>
    Effect.gen(function* () {
      const world = busyWorld()
      const { events, nodes, scans } = yield* monitored(world, honest(world))
      const begun = yield* scans.start({ target: addressOf(peer.peerId), slots: 2 })
      assert.deepStrictEqual([begun.peerId, begun.report], [peer.peerId, null])
      yield* elapse(20)
      const state = Option.getOrThrow(yield* scans.state(begun.id))
      assert.deepStrictEqual([state.report?.verdict, state.step.stage], ["compliant", "finished"])
      assert.strictEqual(nodes.open, 0)
      const told = yield* events.since(0).pipe(
        Stream.filter((event): event is Extract<typeof event, ScanProgress> => event._tag === "ScanProgress"),
        Stream.takeUntil(({ step }) => step.stage === "finished"),
        Stream.runCollect
      )
      assert.isTrue(Chunk.every(told, ({ scanId }) => scanId === begun.id))
      assert.strictEqual(Chunk.unsafeHead(told).step.stage, "dialling")
      assert.strictEqual(Chunk.unsafeLast(told).verdict, "compliant")
    })
  )

  it.scoped("are made of each peer one at a time, and few at once", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const world = busyWorld()
      const { scans } = yield* monitored(world, honest(world), Deferred.await(gate))
      const first = yield* scans.start({ target: addressOf(peer.peerId), slots: 2 })
      const again = yield* Effect.either(scans.start({ target: peer.peerId }))
      assert.deepStrictEqual(
        Either.isLeft(again) && again.left._tag === "ScanUnderWay" ? again.left.id : undefined,
        first.id
      )
      yield* scans.start({ target: addressOf(second) })
      const many = yield* Effect.either(scans.start({ target: addressOf(third) }))
      assert.strictEqual(Either.isLeft(many) ? many.left._tag : undefined, "TooManyScans")
      yield* Deferred.succeed(gate, undefined)
      yield* elapse(30)
      assert.isTrue(Either.isRight(yield* Effect.either(scans.start({ target: addressOf(third) }))))
    })
  )

  it.scoped("are not begun by what names nobody, or contradicts itself", () =>
    Effect.gen(function* () {
      const world = busyWorld()
      const { nodes, scans } = yield* monitored(world, honest(world))
      const hello = yield* Effect.flip(scans.start({ target: "hello" }))
      assert.strictEqual(hello._tag, "InvalidScan")
      const both = yield* Effect.flip(scans.start({ target: peer.peerId, slots: 1, only: [3] }))
      assert.strictEqual(both._tag, "InvalidScan")
      assert.strictEqual(nodes.open, 0)
      assert.isTrue(Option.isNone(yield* scans.state("nothing")))
    })
  )

  it.effect("end with the monitor", () =>
    Effect.gen(function* () {
      const world = busyWorld()
      const scope = yield* Scope.make()
      const model = { ...honest(world), statement: () => Either.right(statement(8)) }
      const { nodes, scans } = yield* Scope.extend(monitored(world, model, Effect.never), scope)
      yield* scans.start({ target: addressOf(peer.peerId) })
      yield* elapse(1)
      assert.strictEqual(nodes.open, 1)
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(nodes.open, 0)
    })
  )

  const [withheld = -1] = custodyColumns(nodeId, 4)
  /** A peer that has not got one column of any block, scanned by a monitor around which others are. */
  const scanned = Effect.fnUntraced(function* (giver: Option.Option<string>) {
    const world = busyWorld()
    const { byRange, byRoot, ...rest } = honest(world)
    const lacking = ({ sent }: ReturnType<PeerModel["byRange"]>) => ({
      sent: sent.filter(({ column }) => column !== withheld)
    })
    const model: PeerModel = {
      ...rest,
      byRange: (request) => lacking(byRange(request)),
      byRoot: (request) => lacking(byRoot(request))
    }
    yield* TestClock.setTime(1_000_000)
    const doubt = yield* watching(world, giver, withheld)
    const { scans } = yield* monitored(world, model, Effect.void, Layer.succeed(SelfDoubt, doubt))
    const { id } = yield* scans.start({ target: addressOf(peer.peerId), only: [100, 200, 300] })
    yield* elapse(100)
    const { report } = Option.getOrThrow(yield* scans.state(id))
    return { report, lacked: yield* doubt.takeLacked }
  })

  it.scoped("accuse nobody of a column that nobody else gave of its block, and have others asked", () =>
    Effect.gen(function* () {
      const { lacked, report } = yield* scanned(Option.none())
      assert.deepInclude(report?.outcomes, { missing: 0, unavailable: 0, suspected: 3 })
      assert.notStrictEqual(report?.verdict, "violating")
      assert.sameMembers([...new Set(lacked.map(({ slot }) => slot))], [100, 200, 300])
      for (const { columns, peerId } of lacked) assert.deepStrictEqual([peerId, columns], [peer.peerId, [withheld]])
    })
  )

  it.scoped("accuse whoever lacks a column that somebody else gave", () =>
    Effect.gen(function* () {
      const { report } = yield* scanned(Option.some("other"))
      assert.deepInclude(report?.outcomes, { missing: 3 })
      assert.strictEqual(report?.verdict, "violating")
    })
  )
})
