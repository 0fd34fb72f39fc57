import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { Schema } from "effect"
import {
  NothingToAsk,
  NotConnected,
  ProbeTookTooLong,
  TooManyWaiting,
  TooSoon,
  UnknownPeer
} from "../../domain/probe/ProbeNow.ts"
import {
  BlobsNotRecoverable,
  BlobsUndecided,
  EmptySlot,
  NoSuchBlob,
  OutOfRetention,
  TooManyFetches,
  UnknownBlock
} from "../../domain/blobs/BlobErrors.ts"
import {
  InvalidScan,
  ScansUnavailable,
  ScanUnderWay,
  TooManyScans,
  UnknownScan
} from "../../domain/scan/ScanRequest.ts"

/** Whoever asks may not have this; `reason` says what would let them. */
export class Forbidden extends Schema.TaggedError<Forbidden>()("Forbidden", { reason: Schema.String }) {}

/** A parameter is not what it may be, or is none of this path; `reason` says what is allowed. */
export class BadParameter extends Schema.TaggedError<BadParameter>()("BadParameter", {
  parameter: Schema.String,
  in: Schema.Literal("path", "query"),
  reason: Schema.String
}) {}

/** The body of the request is not what it must be; `reason` says what is wrong. */
export class BadBody extends Schema.TaggedError<BadBody>()("BadBody", { reason: Schema.String }) {}

/** No probe with this id is on record. */
export class UnknownProbe extends Schema.TaggedError<UnknownProbe>()("UnknownProbe", { id: Schema.String }) {}

/** The history cannot be read. */
export class HistoryUnavailable extends Schema.TaggedError<HistoryUnavailable>()("HistoryUnavailable", {
  reason: Schema.String
}) {}

/** So many queries of the history are waiting already that this one was turned away. */
export class HistoryBusy extends Schema.TaggedError<HistoryBusy>()("HistoryBusy", {
  reason: Schema.String,
  retryAfterSeconds: Schema.Int
}) {}

/** The query of the history took too long. */
export class HistoryTooSlow extends Schema.TaggedError<HistoryTooSlow>()("HistoryTooSlow", { reason: Schema.String }) {}

/** A part of the monitor fails. It is tried again by itself; if that goes on, somebody should look at the log. */
export class NotAlive extends Schema.TaggedError<NotAlive>()("NotAlive", { reasons: Schema.Array(Schema.String) }) {}

/** The monitor cannot do its work at this moment. */
export class NotReady extends Schema.TaggedError<NotReady>()("NotReady", { reasons: Schema.Array(Schema.String) }) {}

/** Why a query of the history failed. */
export interface HistoryFault {
  readonly fault: "unreadable" | "busy" | "late" | "failed"
  readonly reason: string
}

/** The same as an error of the API. */
export const historyError = ({ fault, reason }: HistoryFault): HistoryBusy | HistoryTooSlow | HistoryUnavailable => {
  switch (fault) {
    case "busy":
      return new HistoryBusy({ reason, retryAfterSeconds: 1 })
    case "late":
      return new HistoryTooSlow({ reason })
    case "unreadable":
    case "failed":
      return new HistoryUnavailable({ reason })
  }
}

/** Every error of a described path, beside bugs. */
export const ApiError = Schema.Union(
  BadParameter,
  BadBody,
  UnknownPeer,
  UnknownProbe,
  NotConnected,
  NothingToAsk,
  TooSoon,
  TooManyWaiting,
  ProbeTookTooLong,
  HistoryUnavailable,
  HistoryBusy,
  HistoryTooSlow,
  NotAlive,
  NotReady,
  Forbidden,
  InvalidScan,
  ScanUnderWay,
  TooManyScans,
  ScansUnavailable,
  UnknownScan,
  EmptySlot,
  UnknownBlock,
  NoSuchBlob,
  OutOfRetention,
  BlobsNotRecoverable,
  BlobsUndecided,
  TooManyFetches
)
export type ApiError = typeof ApiError.Type

export const statusOf = {
  BadParameter: 400,
  BadBody: 400,
  UnknownPeer: 404,
  UnknownProbe: 404,
  NotConnected: 409,
  NothingToAsk: 409,
  TooSoon: 429,
  TooManyWaiting: 429,
  HistoryBusy: 429,
  HistoryUnavailable: 503,
  NotAlive: 503,
  NotReady: 503,
  HistoryTooSlow: 504,
  ProbeTookTooLong: 504,
  Forbidden: 403,
  InvalidScan: 400,
  ScanUnderWay: 409,
  TooManyScans: 429,
  ScansUnavailable: 501,
  UnknownScan: 404,
  EmptySlot: 404,
  UnknownBlock: 404,
  NoSuchBlob: 404,
  OutOfRetention: 404,
  BlobsNotRecoverable: 404,
  BlobsUndecided: 503,
  TooManyFetches: 429
} as const satisfies Readonly<Record<ApiError["_tag"], number>>

/** A sentence for each, in the description of the API. */
export const meaningOf: Readonly<Record<ApiError["_tag"], string>> = {
  BadParameter: "A parameter is not what it may be, or there is no such parameter.",
  BadBody: "The body of the request is not what it must be.",
  UnknownPeer: "No such peer is tracked, and none is on record.",
  UnknownProbe: "No such probe is on record.",
  NotConnected: "There is no connection to the peer.",
  NothingToAsk: "Nothing that the peer owes can be asked for and judged.",
  TooSoon: "The peer is left alone for a while: see Retry-After.",
  TooManyWaiting: "Too many wait for a probe.",
  HistoryBusy: "Too many queries of the history are waiting: see Retry-After.",
  HistoryUnavailable: "The history cannot be read.",
  NotAlive: "A part of the monitor fails.",
  NotReady: "The monitor cannot do its work at this moment.",
  HistoryTooSlow: "The query of the history took too long.",
  ProbeTookTooLong: "The probe did not end in time.",
  Forbidden: "This is for whoever brings the token, and `http.token` is not set.",
  InvalidScan: "What is to be scanned cannot be made out: `reason` says what is allowed.",
  ScanUnderWay: "This peer is being scanned already: see `id`.",
  TooManyScans: "As many scans as may be are under way: see Retry-After.",
  ScansUnavailable: "This monitor runs in a host that makes no nodes for scans.",
  UnknownScan: "No such scan was begun lately.",
  EmptySlot: "There is no block in the slot.",
  UnknownBlock: "There is no such block on the canonical chain.",
  NoSuchBlob: "The block has no such blob.",
  OutOfRetention: "The slot is too old for its columns to be kept, or has not come yet.",
  BlobsNotRecoverable: "Too few columns of the block were to be had: `missing` names the others.",
  BlobsUndecided: "The beacon node, or the proof, gave no answer.",
  TooManyFetches: "As many blocks as may be are being fetched: see Retry-After."
}

export const errorResponse = (error: ApiError): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.unsafeJson(encode(error), {
    status: statusOf[error._tag],
    headers: "retryAfterSeconds" in error ? { "retry-after": String(error.retryAfterSeconds) } : {}
  })

const encode = Schema.encodeSync(ApiError)
