import { Context, type Effect, Layer, Schema } from "effect"
import type * as ArrivalQuestion from "../../domain/report/ArrivalQuestion.ts"
import type * as Question from "../../domain/report/Question.ts"

/** Why a question has no answer. */
const ReportFault = Schema.Literal(
  /** There is no such file, or it is not a history that this program can read. */
  "unreadable",
  /** Too many questions wait already: ask again later. */
  "busy",
  /** No answer within the time that a question may take. */
  "late",
  /** The thread that answers died. */
  "failed"
)

export class ReportError extends Schema.TaggedError<ReportError>()("ReportError", {
  fault: ReportFault,
  reason: Schema.String
}) {
  override get message(): string {
    return this.reason
  }
}

/** The answer to one question. */
type Ask<Options extends Schema.Schema.Any, Answer extends Schema.Schema.Any> = (
  options: Schema.Schema.Type<Options>
) => Effect.Effect<Schema.Schema.Type<Answer>, ReportError>

/**
 * Answers questions about a history, weeks of it, while it is written or after. Never keeps the writer waiting. What
 * was recorded is seen once it is on disk.
 */
export class Reports extends Context.Tag("dasmon/Reports")<
  Reports,
  {
    readonly compliance: Ask<typeof Question.ComplianceOptions, typeof Question.Compliance>
    readonly worst: Ask<typeof Question.WorstOptions, typeof Question.Worst>
    readonly untested: Ask<typeof Question.UntestedOptions, typeof Question.Untested>
    readonly slot: Ask<typeof Question.SlotOptions, typeof Question.SlotHoldings>
    readonly probes: Ask<typeof Question.ProbesOptions, typeof Question.ProbePage>
    readonly failures: Ask<typeof Question.FailuresOptions, typeof Question.Failures>
    readonly peer: Ask<typeof Question.PeerRecordOptions, typeof Question.PeerRecord>
    readonly claims: Ask<typeof Question.ClaimsOptions, typeof Question.Claims>
    readonly peerDays: Ask<typeof Question.PeerOptions, typeof Question.PeerDays>
    /** How columns spread over gossip: nothing of it says who stores them. */
    readonly arrivals: Ask<typeof ArrivalQuestion.ArrivalsOptions, typeof ArrivalQuestion.Arrivals>
    readonly slotArrivals: Ask<typeof ArrivalQuestion.SlotArrivalsOptions, typeof ArrivalQuestion.SlotArrivals>
    readonly slots: Ask<typeof Question.SlotsOptions, typeof Question.SlotsPage>
    readonly availability: Ask<typeof Question.AvailabilityOptions, typeof Question.Availability>
    readonly extent: Effect.Effect<Question.Extent, ReportError>
  }
>() {
  /** For a monitor without a history on disk: no question has an answer. */
  static readonly layerNone: Layer.Layer<Reports> = Layer.sync(Reports, () => {
    const none = new ReportError({ fault: "unreadable", reason: "this monitor keeps no history that could be asked" })
    return {
      compliance: () => none,
      worst: () => none,
      untested: () => none,
      slot: () => none,
      probes: () => none,
      failures: () => none,
      peer: () => none,
      claims: () => none,
      peerDays: () => none,
      arrivals: () => none,
      slotArrivals: () => none,
      slots: () => none,
      availability: () => none,
      extent: none
    }
  })
}
