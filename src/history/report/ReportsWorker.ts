import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"
import * as Worker from "@effect/platform/Worker"
import type { WorkerError } from "@effect/platform/WorkerError"
import { Duration, Effect, Layer, type ParseResult, Pool } from "effect"
import { startThread } from "../../runtime/WorkerThread.ts"
import { makeGate, type ReportLimits } from "./ReportGate.ts"
import * as Request from "./ReportRequest.ts"
import { ReportError, Reports } from "./Reports.ts"

export interface WorkerReportsOptions extends ReportLimits {
  readonly path: string
  /** For the thread to start. Default 60 s. */
  readonly startLimit?: Duration.DurationInput
  /** A thread that nobody asks anything is ended after this, at the latest after twice as long. Default 2 minutes. */
  readonly idleLimit?: Duration.DurationInput
  /** The built `ReportWorker.js`, when it is not beside this module. */
  readonly entry?: URL
}

/**
 * Answers in a thread of its own, with a connection of its own: nobody else waits, however long an answer takes.
 *
 * One question is on the thread, the others wait here. A thread that dies, or takes longer than an answer may, is
 * replaced. It is started by the first question, and ends when no more come, or with the scope: it takes 40 MiB, and most
 * monitors are seldom asked.
 */
export const layer = (options: WorkerReportsOptions): Layer.Layer<Reports, ReportError> =>
  Layer.scoped(Reports, make(options))

const make = Effect.fnUntraced(function* (options: WorkerReportsOptions) {
  const entry = options.entry ?? new URL("./ReportWorker.js", import.meta.url)
  const startLimit = Duration.decode(options.startLimit ?? "60 seconds")
  if (entry.protocol === "file:" && !existsSync(fileURLToPath(entry))) {
    return yield* failed(`there is no ${fileURLToPath(entry)}: the program is not built`)
  }
  const start = startThread(Worker.makeSerialized<Request.ReportRequest>({}), {
    entry,
    name: "dasmon reports",
    startLimit,
    data: options.path
  })
  const pool = yield* Pool.makeWithTTL({
    acquire: Effect.map(start, (thread) => ({ thread, faults: 0 })),
    min: 0,
    max: 1,
    timeToLive: options.idleLimit ?? "2 minutes"
  })
  const { answerLimit, gate } = makeGate(options)
  const patienceMs = Math.min(1000, Duration.toMillis(answerLimit) / 2)

  const ask = <A>(question: (thread: ReportThread) => Effect.Effect<A, AskError>): Effect.Effect<A, ReportError> =>
    Effect.flatMap(pool.get, (held) => {
      const since = performance.now()
      return question(held.thread).pipe(
        Effect.tapErrorTag("WorkerError", () => pool.invalidate(held)),
        Effect.tapErrorTag("ReportError", () => (++held.faults < mostFaults ? Effect.void : pool.invalidate(held))),
        // SQLite cannot be interrupted: what is given up after a while would keep the next question waiting.
        Effect.onInterrupt(() => (performance.now() - since > patienceMs ? pool.invalidate(held) : Effect.void))
      )
    }).pipe(Effect.scoped, gate, Effect.mapError(reportError))

  return Reports.of({
    compliance: (options) => ask((thread) => thread.executeEffect(new Request.ComplianceRequest({ options }))),
    worst: (options) => ask((thread) => thread.executeEffect(new Request.WorstRequest({ options }))),
    untested: (options) => ask((thread) => thread.executeEffect(new Request.UntestedRequest({ options }))),
    slot: (options) => ask((thread) => thread.executeEffect(new Request.SlotRequest({ options }))),
    probes: (options) => ask((thread) => thread.executeEffect(new Request.ProbesRequest({ options }))),
    failures: (options) => ask((thread) => thread.executeEffect(new Request.FailuresRequest({ options }))),
    peer: (options) => ask((thread) => thread.executeEffect(new Request.PeerRecordRequest({ options }))),
    claims: (options) => ask((thread) => thread.executeEffect(new Request.ClaimsRequest({ options }))),
    peerDays: (options) => ask((thread) => thread.executeEffect(new Request.PeerDaysRequest({ options }))),
    arrivals: (options) => ask((thread) => thread.executeEffect(new Request.ArrivalsRequest({ options }))),
    slotArrivals: (options) => ask((thread) => thread.executeEffect(new Request.SlotArrivalsRequest({ options }))),
    slots: (options) => ask((thread) => thread.executeEffect(new Request.SlotsRequest({ options }))),
    availability: (options) => ask((thread) => thread.executeEffect(new Request.AvailabilityRequest({ options }))),
    extent: ask((thread) => thread.executeEffect(new Request.ExtentRequest()))
  })
})

/** After each the file is opened anew, which leaves a kilobyte or two that only the end of the thread frees. */
const mostFaults = 256

type ReportThread = Worker.SerializedWorker<Request.ReportRequest>
type AskError = ReportError | WorkerError | ParseResult.ParseError

const reportError = (error: AskError): ReportError => {
  if (error._tag === "ReportError") return error
  const { cause, message } = error
  return failed(cause instanceof Error ? `${message}: ${cause.message}` : message)
}

const failed = (reason: string): ReportError => new ReportError({ fault: "failed", reason: `reports: ${reason}` })
