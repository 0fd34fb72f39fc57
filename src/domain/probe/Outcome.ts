import { Match, Schema } from "effect"
import { Slot } from "../Primitives.ts"

/**
 * What one combination (slot, column of one peer) came to: one closed set, mapped exhaustively wherever it leaves the
 * program (events, history, HTTP, metrics).
 */
export const OutcomeKind = Schema.Literal(
  "success",
  "missing",
  "invalid",
  "unavailable",
  "malformed",
  "timeout",
  "disconnected",
  "refused",
  "unverifiable",
  "suspected"
).annotations({ identifier: "OutcomeKind" })
export type OutcomeKind = typeof OutcomeKind.Type
export const outcomeKinds: ReadonlyArray<OutcomeKind> = OutcomeKind.literals

/** Whose doing an outcome is. Only `peer` ever makes a peer `violating`. */
export type Blame = "none" | "peer" | "unproven" | "ours"

export const blameOf: Readonly<Record<OutcomeKind, Blame>> = {
  success: "none",
  missing: "peer",
  invalid: "peer",
  unavailable: "peer",
  malformed: "peer",
  timeout: "unproven",
  disconnected: "unproven",
  refused: "ours",
  unverifiable: "ours",
  suspected: "unproven"
}

/** Which check a delivered sidecar failed, in the order in which they are made. */
export const InvalidCheck = Schema.Literal("structure", "header", "commitments", "inclusion_proof", "kzg_proof")
export type InvalidCheck = typeof InvalidCheck.Type

/** How far a probe had come when the time ran out. */
const ProbeStage = Schema.Literal("dial", "handshake", "firstChunk", "body")
type ProbeStage = typeof ProbeStage.Type

/**
 * What one conversation left of a combination: left out, refused (`unavailable` is code 3, `server_error` any other
 * code), garbled, or delivered so that it fails a check. Only a second conversation can make an accusation of it.
 * `unanswered`: the answer broke off just there, by a timeout or a lost connection; that may be anything, and so it is
 * asked for again alone.
 */
export const SuspicionKind = Schema.Literal(
  "missing",
  "invalid",
  "unavailable",
  "malformed",
  "server_error",
  "unanswered"
).annotations({
  identifier: "SuspicionKind"
})
export type SuspicionKind = typeof SuspicionKind.Type

/** One conversation is no proof: it is asked for again, later and by root. */
export class Suspected extends Schema.TaggedError<Suspected>()("Suspected", {
  suspicion: SuspicionKind,
  /** Of `invalid` only. */
  check: Schema.optional(InvalidCheck),
  detail: Schema.String
}) {}

/** A column that is owed was left out of two conversations. */
export class MissingColumn extends Schema.TaggedError<MissingColumn>()("MissingColumn", {
  slot: Slot,
  column: Schema.Int,
  detail: Schema.String
}) {}

/** A sidecar came that fails one of the checks of verify_data_column_sidecar or is not of the canonical block. */
export class InvalidColumn extends Schema.TaggedError<InvalidColumn>()("InvalidColumn", {
  slot: Slot,
  column: Schema.Int,
  check: InvalidCheck,
  detail: Schema.String
}) {}

/** The peer answered ResourceUnavailable (code 3) for slots within its own claim. */
export class ColumnsUnavailable extends Schema.TaggedError<ColumnsUnavailable>()("ColumnsUnavailable", {
  detail: Schema.String
}) {}

/** What came cannot be decoded or attributed: frame, SSZ, context bytes, over the size limits. */
export class MalformedResponse extends Schema.TaggedError<MalformedResponse>()("MalformedResponse", {
  detail: Schema.String,
  /** Whether nothing was wrong but that the stream ended, cleanly, inside a chunk. */
  truncated: Schema.Boolean.pipe(
    Schema.propertySignature,
    Schema.withConstructorDefault(() => false)
  )
}) {}

/** Nothing, or nothing more, came in time. */
export class ProbeTimeout extends Schema.TaggedError<ProbeTimeout>()("ProbeTimeout", {
  stage: ProbeStage,
  afterMs: Schema.Number
}) {}

/** The stream was reset or the connection lost. */
export class PeerDisconnected extends Schema.TaggedError<PeerDisconnected>()("PeerDisconnected", {
  stage: ProbeStage,
  detail: Schema.String
}) {}

/** Why a peer will not talk to us. It is about us, never about what the peer stores. */
export const RefusedReason = Schema.Literal(
  "rate_limited",
  "too_many_peers",
  "wrong_network",
  "banned",
  "invalid_request",
  "server_error",
  "unsupported_protocol",
  "shutdown"
)
export type RefusedReason = typeof RefusedReason.Type

/** The peer turned us away, by an error chunk or by Goodbye. */
export class PeerRefused extends Schema.TaggedError<PeerRefused>()("PeerRefused", {
  reason: RefusedReason,
  detail: Schema.String,
  /** Of an error chunk: its result code. A Goodbye has none: it is for the whole connection. */
  resultCode: Schema.optional(Schema.Int),
  /** Of an error chunk: whether it came without a word of explanation. */
  isBare: Schema.optional(Schema.Boolean)
}) {}

/** Why there is no ground truth to judge by. */
const UnverifiableReason = Schema.Literal(
  "commitments_unknown",
  "reorg",
  "claim_changed",
  "claim_edge",
  "no_longer_owed",
  "too_young",
  "overload",
  "verifier_failed",
  "self_doubt"
)
type UnverifiableReason = typeof UnverifiableReason.Type

/** We cannot tell: never the peer's fault. */
export class Unverifiable extends Schema.TaggedError<Unverifiable>()("Unverifiable", {
  reason: UnverifiableReason,
  detail: Schema.String
}) {}

/** Every way in which a combination can fail. */
export const ProbeError = Schema.Union(
  MissingColumn,
  InvalidColumn,
  ColumnsUnavailable,
  MalformedResponse,
  ProbeTimeout,
  PeerDisconnected,
  PeerRefused,
  Unverifiable,
  Suspected
)
export type ProbeError = typeof ProbeError.Type

/** The errors that end a whole request, before its columns are looked at one by one. */
export type RequestError = ColumnsUnavailable | MalformedResponse | ProbeTimeout | PeerDisconnected | PeerRefused

/** The outcome that an error comes to. */
export const outcomeOf: (error: ProbeError) => OutcomeKind = Match.type<ProbeError>().pipe(
  Match.tagsExhaustive({
    MissingColumn: () => "missing" as const,
    InvalidColumn: () => "invalid" as const,
    ColumnsUnavailable: () => "unavailable" as const,
    MalformedResponse: () => "malformed" as const,
    ProbeTimeout: () => "timeout" as const,
    PeerDisconnected: () => "disconnected" as const,
    PeerRefused: () => "refused" as const,
    Unverifiable: () => "unverifiable" as const,
    Suspected: () => "suspected" as const
  })
)

/** The peer did not have it, of a slot so new that it need not have everything yet. */
export const isTooYoung = (error: ProbeError): boolean => error._tag === "Unverifiable" && error.reason === "too_young"

/** One sentence for a person: what happened, without the peer's name. */
export const describe: (error: ProbeError) => string = Match.type<ProbeError>().pipe(
  Match.tagsExhaustive({
    MissingColumn: (error) => `column ${error.column} of slot ${error.slot} is missing: ${error.detail}`,
    InvalidColumn: (error) =>
      `column ${error.column} of slot ${error.slot} fails the check ${error.check}: ${error.detail}`,
    ColumnsUnavailable: (error) => `says that it does not have what it claims: ${error.detail}`,
    MalformedResponse: (error) => `sent what cannot be read: ${error.detail}`,
    ProbeTimeout: (error) => `no answer within ${error.afterMs} ms (${error.stage})`,
    PeerDisconnected: (error) => `connection lost (${error.stage}): ${error.detail}`,
    PeerRefused: (error) => `refused us (${error.reason}): ${error.detail}`,
    Unverifiable: (error) => `cannot be judged (${error.reason}): ${error.detail}`,
    Suspected: (error) => `suspected (${error.check ?? error.suspicion}), to be asked for again: ${error.detail}`
  })
)

/** Outcomes counted by kind; every kind is present. */
export const OutcomeCounts = Schema.Record({ key: OutcomeKind, value: Schema.Int }).annotations({
  identifier: "OutcomeCounts"
})
export type OutcomeCounts = typeof OutcomeCounts.Type

export const noOutcomes: OutcomeCounts = {
  success: 0,
  missing: 0,
  invalid: 0,
  unavailable: 0,
  malformed: 0,
  timeout: 0,
  disconnected: 0,
  refused: 0,
  unverifiable: 0,
  suspected: 0
}

/** Outcomes by kind. */
export const countOutcomes = (outcomes: Iterable<{ readonly outcome: OutcomeKind }>): OutcomeCounts => {
  const counts = { ...noOutcomes }
  for (const { outcome } of outcomes) counts[outcome]++
  return counts
}

/** `counts` with `more` added to it. */
export const addOutcomes = (counts: OutcomeCounts, more: Partial<OutcomeCounts>): OutcomeCounts => {
  const sum = { ...counts }
  for (const kind of outcomeKinds) sum[kind] += more[kind] ?? 0
  return sum
}
