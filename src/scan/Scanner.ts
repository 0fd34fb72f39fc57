import { Cause, Clock, Context, Duration, Effect, Exit, Fiber, Layer, Option } from "effect"
import type { CommitmentCache } from "../chain/CommitmentCache.ts"
import { slotAt } from "../domain/network/Chain.ts"
import { forkDigestsAround } from "../domain/network/ForkDigest.ts"
import { messageOf } from "../domain/Text.ts"
import type { EvidenceStore } from "../evidence/EvidenceStore.ts"
import * as MemoryHistory from "../history/store/MemoryHistory.ts"
import { Externs } from "../host/Externs.ts"
import { Gossip } from "../host/Gossip.ts"
import { Host } from "../host/Host.ts"
import type { Verifier } from "../kzg/Verifier.ts"
import { columnsOfTopics } from "../peers/WatchSubscriptions.ts"
import { Prober } from "../probe/Prober.ts"
import type { ProbeWorkers } from "../probe/ProbeWorkers.ts"
import type { SelfDoubt } from "../probe/SelfDoubt.ts"
import type { LoopLag } from "../runtime/LoopLag.ts"
import { goodbyeCodes } from "../wire/Refusal.ts"
import { askAll } from "./AskAll.ts"
import { makeChooseSlots } from "./ChooseSlots.ts"
import { makeConfirmAll } from "./ConfirmAll.ts"
import type { Locator } from "./target/Locator.ts"
import { makeReport } from "./report/MakeReport.ts"
import { pingPeer } from "./Pings.ts"
import { makeQuestions } from "./Questions.ts"
import { makeReach } from "./Reach.ts"
import type { ScanFailure } from "./report/ScanFailure.ts"
import { makeScanLog } from "./report/ScanLog.ts"
import type { ScanOptions } from "./ScanOptions.ts"
import type { ScanReport } from "../domain/scan/ScanReport.ts"
import { makeSubject, type Subject, type TellStep } from "./Subject.ts"
import type { Target } from "./target/Target.ts"

/** Finds out everything that can be found out about one peer in a minute or so. */
export class Scanner extends Context.Tag("dasmon/Scanner")<
  Scanner,
  {
    /**
     * Dials the target, asks what it claims and a part of what it owes, settles what it can, says Goodbye, and reports.
     * However the peer behaves, and whatever bug of ours it meets, that is a report too, of what was found out until
     * then, soon after the time limit at the latest.
     */
    readonly scan: (target: Target, options: ScanOptions, tell: TellStep) => Effect.Effect<ScanReport>
  }
>() {
  /** Over a node that nobody else uses: its peers are left by Goodbye. */
  static readonly layer: Layer.Layer<
    Scanner,
    never,
    CommitmentCache | EvidenceStore | Externs | Host | Locator | LoopLag | ProbeWorkers | SelfDoubt | Verifier
  > = Layer.suspend(() =>
    Layer.effect(Scanner, make).pipe(Layer.provide(Prober.layer), Layer.provide(MemoryHistory.layer))
  )
}

const make = Effect.gen(function* () {
  const { chain } = yield* Externs
  const host = yield* Host
  const gossip = yield* Effect.serviceOption(Gossip)
  const reach = yield* makeReach
  const chooseSlots = yield* makeChooseSlots
  const questionsFor = yield* makeQuestions
  const confirmAll = yield* makeConfirmAll

  const readSubscriptions = ({ address, log }: Subject) =>
    Effect.map(Clock.currentTimeMillis, (now) => {
      if (Option.isNone(gossip)) return
      const digests = forkDigestsAround(chain, Math.max(0, slotAt(chain, now)))
      const columns = columnsOfTopics(gossip.value.columnTopicsOf(address.peerId), digests)
      // What it said while it was connected stands, when it has left by now.
      if (columns.length > 0) log.subscribed = Option.some(columns)
    })

  const work = (subject: Subject) =>
    Effect.gen(function* () {
      const nodeId = yield* reach(subject)
      const { claims } = subject.journal.state()
      if (Option.isNone(nodeId) || Option.isNone(claims)) return
      const pinging = yield* Effect.forkScoped(
        pingPeer(host, subject.address.peerId, (ping) => void subject.log.pings.push(ping))
      )
      yield* subject.tell({ stage: "choosing", detail: "looking for slots with blobs" })
      const { settled, slots } = yield* chooseSlots(subject, claims.value)
      yield* readSubscriptions(subject)
      const questions = questionsFor(subject, nodeId.value, settled)
      yield* askAll(subject, questions, slots)
      yield* readSubscriptions(subject)
      if (Option.isNone(subject.log.failure)) yield* confirmAll(subject, questions)
      yield* Fiber.join(pinging)
      yield* readSubscriptions(subject)
    }).pipe(Effect.scoped, Effect.withSpan("Scanner.work"))

  const leave = ({ address }: Subject) =>
    host.disconnect(address.peerId, goodbyeCodes.shutdown).pipe(
      Effect.disconnect,
      Effect.timeoutOption("2 seconds"),
      Effect.catchAllCause(() => Effect.void)
    )

  const scan: Scanner["Type"]["scan"] = (target, options, tell) =>
    Effect.gen(function* () {
      const startedAt = yield* Clock.currentTimeMillis
      const log = makeScanLog(target, startedAt)
      const subject = makeSubject(log, options, tell, startedAt + Duration.toMillis(options.timeLimit))
      const exit = yield* work(subject).pipe(
        Effect.disconnect,
        Effect.timeoutTo({
          duration: options.timeLimit,
          onSuccess: () => Option.none<ScanFailure>(),
          onTimeout: () => Option.some<ScanFailure>({ _tag: "TimeLimit", limit: options.timeLimit })
        }),
        Effect.onInterrupt(() => leave(subject)),
        Effect.exit
      )
      if (Exit.isFailure(exit)) {
        if (Cause.isInterruptedOnly(exit.cause)) return yield* Effect.interrupt
        yield* Effect.logError("a scan died", exit.cause)
        log.failure = Option.some({ _tag: "Defect", detail: messageOf(Cause.squash(exit.cause)) })
      } else if (Option.isSome(exit.value)) log.failure = exit.value
      yield* leave(subject)
      const report = makeReport(chain, log, subject.journal.state(), yield* Clock.currentTimeMillis)
      yield* tell({ stage: "finished", detail: report.verdict })
      return report
    }).pipe(Effect.annotateLogs({ peer: target.address.peerId }))

  return Scanner.of({ scan })
})
