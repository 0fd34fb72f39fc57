import { Schema } from "effect"
import { PeerId, Slot } from "../Primitives.ts"
import { ScanReport } from "./ScanReport.ts"
import { ScanStep } from "./ScanStep.ts"

/** What a running monitor is asked to scan: any peer, known to it or not. */
export const ScanRequest = Schema.Struct({
  /** An ENR, a multiaddr that ends in `/p2p/<peer id>`, an enode of a beacon node, or a peer id. */
  target: Schema.String.pipe(Schema.maxLength(2048)),
  /** Random slots; by what the peer claims if left out. */
  slots: Schema.optional(Schema.Int.pipe(Schema.between(1, 128))),
  /** Just these slots, in place of random ones. */
  only: Schema.optional(Schema.Array(Slot).pipe(Schema.maxItems(128))),
  /** `owed` if left out; with `all` also columns beyond the claim, whose absence is nothing to it. */
  columns: Schema.optional(Schema.Literal("owed", "all"))
}).annotations({ identifier: "ScanRequest" })
export type ScanRequest = typeof ScanRequest.Type

/** A scan that was begun, as it stands. */
export const ScanState = Schema.Struct({
  /** UUID. */
  id: Schema.String,
  peerId: PeerId,
  /** As it was given. */
  target: Schema.String,
  /** Unix milliseconds. */
  startedAt: Schema.Number,
  /** The last thing that it told of itself. */
  step: ScanStep,
  /** `null` until it is over. */
  report: Schema.NullOr(ScanReport)
}).annotations({ identifier: "ScanState" })
export type ScanState = typeof ScanState.Type

/** What is to be scanned cannot be made out; `reason` says what is allowed. */
export class InvalidScan extends Schema.TaggedError<InvalidScan>()("InvalidScan", { reason: Schema.String }) {}

/** This peer is being scanned already. */
export class ScanUnderWay extends Schema.TaggedError<ScanUnderWay>()("ScanUnderWay", {
  /** Of that scan. */
  id: Schema.String,
  peerId: PeerId
}) {}

/** As many scans as may be are under way. */
export class TooManyScans extends Schema.TaggedError<TooManyScans>()("TooManyScans", {
  limit: Schema.Int,
  retryAfterSeconds: Schema.Int
}) {}

/** The host that the monitor runs in cannot make a node for it. */
export class ScansUnavailable extends Schema.TaggedError<ScansUnavailable>()("ScansUnavailable", {
  reason: Schema.String
}) {}

/** No such scan was begun lately. */
export class UnknownScan extends Schema.TaggedError<UnknownScan>()("UnknownScan", { id: Schema.String }) {}

/** Why a scan was not begun. */
export type NotScanned = InvalidScan | ScanUnderWay | TooManyScans | ScansUnavailable
