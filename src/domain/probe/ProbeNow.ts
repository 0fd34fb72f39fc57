import { Schema } from "effect"
import { PeerId } from "../Primitives.ts"

/** No such peer is tracked, and none was ever met. */
export class UnknownPeer extends Schema.TaggedError<UnknownPeer>()("UnknownPeer", { peerId: PeerId }) {}

/** The peer is known, but there is no connection to it. */
export class NotConnected extends Schema.TaggedError<NotConnected>()("NotConnected", { peerId: PeerId }) {}

/** There is nothing that the peer could be asked and judged by. */
export class NothingToAsk extends Schema.TaggedError<NothingToAsk>()("NothingToAsk", {
  peerId: PeerId,
  reason: Schema.String
}) {}

/** The peer was asked a moment ago, or is left alone for a while because it did not answer. */
export class TooSoon extends Schema.TaggedError<TooSoon>()("TooSoon", {
  peerId: PeerId,
  /** Whole seconds, at least 1. */
  retryAfterSeconds: Schema.Int
}) {}

/** So many wait for a probe already. */
export class TooManyWaiting extends Schema.TaggedError<TooManyWaiting>()("TooManyWaiting", {
  limit: Schema.Int,
  retryAfterSeconds: Schema.Int
}) {}

/** The probe did not end in time; it may still be recorded. */
export class ProbeTookTooLong extends Schema.TaggedError<ProbeTookTooLong>()("ProbeTookTooLong", {
  peerId: PeerId,
  afterSeconds: Schema.Int
}) {}

/** Why a probe on demand was not made, or not to its end. */
export type NotProbed = UnknownPeer | NotConnected | NothingToAsk | TooSoon | TooManyWaiting | ProbeTookTooLong
