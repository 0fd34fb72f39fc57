import { randomUUID } from "node:crypto"
import { Cause, Clock, Context, Duration, Effect, Either, FiberMap, Layer, Option } from "effect"
import type { CommitmentCache } from "../chain/CommitmentCache.ts"
import { AddressBook } from "../discovery/book/AddressBook.ts"
import { setNewest } from "../domain/Bounded.ts"
import type { PeerId } from "../domain/Primitives.ts"
import { messageOf } from "../domain/Text.ts"
import {
  InvalidScan,
  type NotScanned,
  type ScanRequest,
  ScansUnavailable,
  type ScanState,
  ScanUnderWay,
  TooManyScans
} from "../domain/scan/ScanRequest.ts"
import type { ScanStep } from "../domain/scan/ScanStep.ts"
import { EventBus } from "../events/EventBus.ts"
import type { EvidenceStore } from "../evidence/EvidenceStore.ts"
import type { Reports } from "../history/report/Reports.ts"
import { Externs } from "../host/Externs.ts"
import { Gossip } from "../host/Gossip.ts"
import { Host } from "../host/Host.ts"
import { Identified } from "../host/Identified.ts"
import { ScanHost, type ScanSource } from "../host/ScanHost.ts"
import type { Verifier } from "../kzg/Verifier.ts"
import { ProbeWorkers } from "../probe/ProbeWorkers.ts"
import { SelfDoubt } from "../probe/SelfDoubt.ts"
import type { LoopLag } from "../runtime/LoopLag.ts"
import { Scanner } from "./Scanner.ts"
import { defaultConfirmAfter, type ScanOptions, timeLimitFor } from "./ScanOptions.ts"
import * as LocatePeer from "./target/LocatePeer.ts"
import { parseTarget, type Target } from "./target/Target.ts"

/** Scans of single peers that a running monitor makes when it is asked to, beside its own work. */
export class Scans extends Context.Tag("dasmon/Scans")<
  Scans,
  {
    /** Begins a scan, of each peer one at a time, and gives it as it stands. How it goes on is told as events. */
    readonly start: (request: ScanRequest) => Effect.Effect<ScanState, NotScanned>
    /** One of the last scans; none that was begun before these, or never. */
    readonly state: (id: string) => Effect.Effect<Option.Option<ScanState>>
  }
>() {
  /**
   * Each scan has a node of its own, made for it: the peer does not meet the monitor's, and nothing that it says or does
   * changes what the monitor knows of it. It goes by the monitor's chain, accuses nobody while the monitor suspects itself,
   * and of a column only where others gave that, or enough of the block (`Publication`): others are asked meanwhile.
   */
  static readonly layer = Layer.suspend(() => Layer.scoped(Scans, make))
}

const most = { atOnce: 2, kept: 64 }

const make = Effect.gen(function* () {
  const source = yield* ScanHost
  const externs = yield* Externs
  const bus = yield* EventBus
  const selfDoubt = yield* SelfDoubt
  const book = yield* Effect.serviceOption(AddressBook)
  const context = yield* Effect.context<CommitmentCache | EvidenceStore | LoopLag | Reports | Verifier>()
  const fibers = yield* FiberMap.make<string>()
  const states = new Map<string, ScanState>()
  /** By peer. */
  const underWay = new Map<string, string>()

  const change = (id: string, change: (state: ScanState) => ScanState): void => {
    const state = states.get(id)
    if (state !== undefined) states.set(id, change(state))
  }

  const tell = (id: string, peerId: string, step: ScanStep, verdict: string | null) =>
    bus.inOneStep(({ tell }) => {
      change(id, (state) => ({ ...state, step }))
      tell({ _tag: "ScanProgress", scanId: id, peerId, step, verdict })
    })

  /** What a scan hears of one peer says nothing of the monitor; what it finds of a block is heard like every probe's. */
  const doubt = SelfDoubt.of({
    ...selfDoubt,
    hear: (peerId, _, finished) => selfDoubt.hearOfBlocks(peerId, finished),
    hearFinality: () => Effect.void
  })

  const remembered = Option.getOrUndefined(
    Option.map(
      book,
      ({ entries }) =>
        (peerId: PeerId) =>
          Effect.sync(() => Option.fromNullable(entries().get(peerId)))
    )
  )

  const scannerOver = Effect.fnUntraced(function* ({ listed, open }: ScanSource) {
    const { gossip, host, identified, peerRefresh } = yield* open
    const layer = Scanner.layer.pipe(
      Layer.provide([
        Layer.succeed(Externs, { ...externs, peerRefresh }),
        Layer.succeed(Host, host),
        Layer.succeed(Gossip, gossip),
        Layer.succeed(Identified, identified),
        Layer.succeed(SelfDoubt, doubt),
        LocatePeer.layer({ listed, remembered }),
        ProbeWorkers.layer(1)
      ]),
      Layer.provide(Layer.succeedContext(context))
    )
    return yield* Effect.map(Layer.build(layer), Context.get(Scanner))
  })

  const run = (id: string, target: Target, source: ScanSource, options: ScanOptions) =>
    Effect.gen(function* () {
      const { peerId } = target.address
      const { scan } = yield* scannerOver(source)
      // That it is over is told with what came of it, and then it can be read.
      const report = yield* scan(target, options, (step) =>
        step.stage === "finished" ? Effect.void : tell(id, peerId, step, null)
      )
      change(id, (state) => ({ ...state, report }))
      yield* tell(id, peerId, { stage: "finished", detail: report.sentence }, report.verdict)
    }).pipe(
      Effect.scoped,
      Effect.catchAllCause((cause) =>
        Effect.zipRight(
          Effect.logError("a scan could not be made", cause),
          tell(id, target.address.peerId, { stage: "finished", detail: messageOf(Cause.squash(cause)) }, null)
        )
      ),
      Effect.ensuring(Effect.sync(() => underWay.delete(target.address.peerId)))
    )

  const start = Effect.fn("Scans.start")(function* (request: ScanRequest) {
    if (Option.isNone(source)) {
      return yield* new ScansUnavailable({ reason: "this monitor runs in a host that makes no nodes for scans" })
    }
    const target = parseTarget(request.target)
    if (Either.isLeft(target)) return yield* new InvalidScan({ reason: target.left.reason })
    const { slots, only = [], columns = "owed" } = request
    if (slots !== undefined && only.length > 0) {
      return yield* new InvalidScan({ reason: "give slots (how many) or only (which), not both" })
    }
    const { peerId } = target.right.address
    const before = underWay.get(peerId)
    if (before !== undefined) return yield* new ScanUnderWay({ id: before, peerId })
    if (underWay.size >= most.atOnce) {
      return yield* new TooManyScans({ limit: most.atOnce, retryAfterSeconds: retryAfter })
    }
    const id = randomUUID()
    underWay.set(peerId, id)
    const startedAt = yield* Clock.currentTimeMillis
    const step: ScanStep = { stage: "waiting", detail: "it begins" }
    const state: ScanState = { id, peerId, target: target.right.given, startedAt, step, report: null }
    setNewest(states, id, state, most.kept)
    const options: ScanOptions = {
      slots,
      only,
      columns,
      confirmAfter: defaultConfirmAfter,
      timeLimit: timeLimitFor(defaultConfirmAfter)
    }
    yield* FiberMap.run(fibers, id, run(id, target.right, source.value, options))
    return state
  })

  return Scans.of({ start, state: (id) => Effect.sync(() => Option.fromNullable(states.get(id))) })
})

/** A scan of a node in good health takes less. */
const retryAfter = Duration.toSeconds("15 seconds")
