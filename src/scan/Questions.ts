import { Clock, Duration, Effect, Option } from "effect"
import type { Evidence } from "../evidence/Evidence.ts"
import { EvidenceStore } from "../evidence/EvidenceStore.ts"
import { describe, type RequestError } from "../domain/probe/Outcome.ts"
import { owes } from "../domain/peer/ClaimHistory.ts"
import type { SuspectedSlot } from "../domain/peer/Suspicions.ts"
import type { Job } from "../domain/probe/Job.ts"
import type { Slot } from "../domain/Primitives.ts"
import { Externs } from "../host/Externs.ts"
import { type DialError, Host } from "../host/Host.ts"
import { reachedAt, withConversation, withProbe } from "../peers/PeerState.ts"
import { makeRequestBudget, type RequestBudget } from "../peers/RequestBudget.ts"
import { conversationOf } from "../probe/Conversation.ts"
import { Prober } from "../probe/Prober.ts"
import { ProbeWorkers } from "../probe/ProbeWorkers.ts"
import { reserveFor } from "./Reserve.ts"
import type { ScanFailure } from "./report/ScanFailure.ts"
import { type Subject, takeStatement } from "./Subject.ts"

/** Puts questions for columns to one target, at the pace that its client allows, and takes what comes of them. */
export interface Questions {
  readonly budget: RequestBudget
  /**
   * One probe; gives whether the peer may be asked something else after it. What ends the scan is in the log by then.
   */
  readonly ask: (job: Job, confirms: ReadonlyArray<SuspectedSlot>) => Effect.Effect<boolean>
  /** Whether nothing that is still left out of a combination is accused in this run. */
  readonly isReserved: (slot: Slot, column: number) => boolean
  /** The columns of a slot that are to be asked for. */
  readonly columnsOf: (slot: Slot) => ReadonlyArray<number>
}

/** A peer is asked as fast as its client lets it be; that is what the budget is for. */
const testInterval = Duration.seconds(1)
/** Conversations that came to nothing, after which a peer is left in peace. */
const mostTroubles = 2
/** Probes for which there was no ground truth, in a row. */
const mostBlind = 3
const pauseAfterTrouble = "5 seconds"

export const makeQuestions = Effect.gen(function* () {
  const { chain } = yield* Externs
  const host = yield* Host
  const prober = yield* Prober
  const workers = yield* ProbeWorkers
  const evidence = yield* EvidenceStore

  return (subject: Subject, nodeId: Uint8Array, settledUpTo: Slot): Questions => {
    const { journal, log, options } = subject
    const { peerId } = subject.address
    const budget = makeRequestBudget(chain, journal.state, { testInterval, dailyBytes: Infinity })
    const reserve = reserveFor({
      nodeId,
      settledUpTo,
      outcomes: () => log.results.flatMap(({ probe }) => probe.outcomes)
    })
    const times = { confirmAfter: options.confirmAfter, testInterval }
    let troubles = 0
    let blind = 0

    const endWith = (failure: ScanFailure) =>
      Effect.sync(() => {
        log.failure = Option.some(failure)
        return false
      })

    /** Whether it is worth another try. */
    const trouble = (error: RequestError) =>
      ++troubles >= mostTroubles ? endWith({ _tag: "Broken", error }) : Effect.as(Effect.sleep(pauseAfterTrouble), true)

    const unconnected = (error: DialError) => {
      if (error._tag === "NotDialled") return endWith({ _tag: "NoTruth", detail: error.message })
      return Effect.zipRight(
        journal.enter({
          change: (state) => withConversation(state, conversationOf(error), Option.some(describe(error)))
        }),
        trouble(error)
      )
    }

    const ask = Effect.fn("Scan.ask")(function* (job: Job, confirms: ReadonlyArray<SuspectedSlot>) {
      const { agent, claims } = journal.state()
      if (Option.isNone(claims)) return false
      const connected = yield* Effect.either(host.connect(subject.address))
      if (connected._tag === "Left") return yield* unconnected(connected.left)
      const end = budget.begin(job, confirms, yield* Clock.currentTimeMillis)
      const probed = yield* workers
        .run(
          peerId,
          prober.probe({
            address: subject.address,
            nodeId,
            claims: claims.value,
            job,
            confirms,
            agent,
            remoteAddress: reachedAt(journal.state()),
            beyondClaim: options.columns === "all",
            reserve
          })
        )
        .pipe(Effect.either)
      if (probed._tag === "Left") {
        end({ requests: 0, bytes: 0 }, yield* Clock.currentTimeMillis)
        return ++blind >= mostBlind ? yield* endWith({ _tag: "NoTruth", detail: probed.left.message }) : true
      }
      blind = 0
      const result = probed.right
      end(result.probe, yield* Clock.currentTimeMillis)
      log.results.push({ ...result, evidence: [] })
      yield* keep(result.evidence)
      yield* journal.enter({ change: (state) => withProbe(state, result, times) })
      if (Option.isSome(result.statement)) yield* takeStatement(chain, subject, result.statement.value, nodeId)
      if (result.conversation === "answered") {
        troubles = 0
        return true
      }
      return Option.isSome(result.error) ? yield* trouble(result.error.value) : true
    })

    const keep = (pieces: ReadonlyArray<Evidence>) =>
      pieces.length === 0 ? Effect.void : Effect.asVoid(Effect.timeoutOption(evidence.keep(pieces), "5 seconds"))

    return {
      budget,
      ask,
      isReserved: (slot, column) => Option.isSome(reserve(slot, column)),
      columnsOf: (slot) =>
        options.columns === "all"
          ? log.columns
          : Option.match(journal.state().claims, {
              onNone: () => [],
              onSome: (claims) => log.columns.filter((column) => owes(claims, slot, column))
            })
    }
  }
})
