import { WorkerError } from "@effect/platform/WorkerError"
import { Schema } from "effect"
import * as ArrivalQuestion from "../../domain/report/ArrivalQuestion.ts"
import * as Question from "../../domain/report/Question.ts"
import { ReportError } from "./Reports.ts"

/** What is asked of a report thread. The platform passes its own failures through the same schema. */
const failure = Schema.Union(ReportError, WorkerError)

export class ComplianceRequest extends Schema.TaggedRequest<ComplianceRequest>()("Compliance", {
  success: Question.Compliance,
  failure,
  payload: { options: Question.ComplianceOptions }
}) {}

export class WorstRequest extends Schema.TaggedRequest<WorstRequest>()("Worst", {
  success: Question.Worst,
  failure,
  payload: { options: Question.WorstOptions }
}) {}

export class UntestedRequest extends Schema.TaggedRequest<UntestedRequest>()("Untested", {
  success: Question.Untested,
  failure,
  payload: { options: Question.UntestedOptions }
}) {}

export class SlotRequest extends Schema.TaggedRequest<SlotRequest>()("Slot", {
  success: Question.SlotHoldings,
  failure,
  payload: { options: Question.SlotOptions }
}) {}

export class ProbesRequest extends Schema.TaggedRequest<ProbesRequest>()("Probes", {
  success: Question.ProbePage,
  failure,
  payload: { options: Question.ProbesOptions }
}) {}

export class FailuresRequest extends Schema.TaggedRequest<FailuresRequest>()("Failures", {
  success: Question.Failures,
  failure,
  payload: { options: Question.FailuresOptions }
}) {}

export class PeerRecordRequest extends Schema.TaggedRequest<PeerRecordRequest>()("PeerRecord", {
  success: Question.PeerRecord,
  failure,
  payload: { options: Question.PeerRecordOptions }
}) {}

export class ClaimsRequest extends Schema.TaggedRequest<ClaimsRequest>()("Claims", {
  success: Question.Claims,
  failure,
  payload: { options: Question.ClaimsOptions }
}) {}

export class PeerDaysRequest extends Schema.TaggedRequest<PeerDaysRequest>()("PeerDays", {
  success: Question.PeerDays,
  failure,
  payload: { options: Question.PeerOptions }
}) {}

export class ArrivalsRequest extends Schema.TaggedRequest<ArrivalsRequest>()("Arrivals", {
  success: ArrivalQuestion.Arrivals,
  failure,
  payload: { options: ArrivalQuestion.ArrivalsOptions }
}) {}

export class SlotArrivalsRequest extends Schema.TaggedRequest<SlotArrivalsRequest>()("SlotArrivals", {
  success: ArrivalQuestion.SlotArrivals,
  failure,
  payload: { options: ArrivalQuestion.SlotArrivalsOptions }
}) {}

export class SlotsRequest extends Schema.TaggedRequest<SlotsRequest>()("Slots", {
  success: Question.SlotsPage,
  failure,
  payload: { options: Question.SlotsOptions }
}) {}

export class AvailabilityRequest extends Schema.TaggedRequest<AvailabilityRequest>()("Availability", {
  success: Question.Availability,
  failure,
  payload: { options: Question.AvailabilityOptions }
}) {}

export class ExtentRequest extends Schema.TaggedRequest<ExtentRequest>()("Extent", {
  success: Question.Extent,
  failure,
  payload: {}
}) {}

export const ReportRequest = Schema.Union(
  ComplianceRequest,
  WorstRequest,
  UntestedRequest,
  SlotRequest,
  ProbesRequest,
  FailuresRequest,
  PeerRecordRequest,
  ClaimsRequest,
  PeerDaysRequest,
  ArrivalsRequest,
  SlotArrivalsRequest,
  SlotsRequest,
  AvailabilityRequest,
  ExtentRequest
)
export type ReportRequest = typeof ReportRequest.Type
