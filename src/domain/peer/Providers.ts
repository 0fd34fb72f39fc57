import { Schema } from "effect"
import { PeerId } from "../Primitives.ts"
import { Verdict } from "./Verdict.ts"

/** One of `das_providers`, as it has been since the program started. */
export const ProviderView = Schema.Struct({
  peerId: PeerId,
  agent: Schema.NullOr(Schema.String),
  address: Schema.NullOr(Schema.String),
  connected: Schema.Boolean,
  /** The share of the time in which it was connected, 0 to 1. */
  uptime: Schema.Number,
  /** Connections that were lost. */
  losses: Schema.Int,
  /** To the first chunk of an answer: the median of the last 32 probes, milliseconds; `null` before the first. */
  latencyMs: Schema.NullOr(Schema.Number),
  score: Schema.Number,
  verdict: Verdict,
  /** Columns that it claims; `null` until the first handshake. */
  columns: Schema.NullOr(Schema.Int),
  lastFailure: Schema.NullOr(Schema.String)
}).annotations({ identifier: "ProviderView" })
export type ProviderView = typeof ProviderView.Type

/** A node that keeps all columns, and could be named under `das_providers`. */
export const ProviderCandidate = Schema.Struct({
  peerId: PeerId,
  agent: Schema.NullOr(Schema.String),
  /** What can be named: its ENR, else a multiaddr; `null` for a node that came to us, and of which no address is known. */
  name: Schema.NullOr(Schema.String),
  connected: Schema.Boolean,
  /** 0.5 for one that is not connected. */
  score: Schema.Number,
  /** Unix milliseconds; `null` for never. */
  reachedAt: Schema.NullOr(Schema.Number)
}).annotations({ identifier: "ProviderCandidate" })
export type ProviderCandidate = typeof ProviderCandidate.Type

export const ProvidersView = Schema.Struct({
  /** In the order of the configuration. */
  providers: Schema.Array(ProviderView),
  /** At most 64, those first that are connected and score best, then those that were reached last. */
  candidates: Schema.Array(ProviderCandidate)
}).annotations({ identifier: "ProvidersView" })
export type ProvidersView = typeof ProvidersView.Type

/** Those of the candidates that are told of. */
export const bestCandidates = (candidates: ReadonlyArray<ProviderCandidate>): ReadonlyArray<ProviderCandidate> =>
  [...candidates]
    .sort(
      (a, b) =>
        Number(b.connected) - Number(a.connected) || b.score - a.score || (b.reachedAt ?? 0) - (a.reachedAt ?? 0)
    )
    .slice(0, mostCandidates)

const mostCandidates = 64
