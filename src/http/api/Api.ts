import * as HttpApi from "@effect/platform/HttpApi"
import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as HttpApiMiddleware from "@effect/platform/HttpApiMiddleware"
import * as OpenApi from "@effect/platform/OpenApi"
import { Schema } from "effect"
import { Snapshot } from "../../Dasmon.ts"
import { Probe } from "../../domain/probe/Job.ts"
import {
  NothingToAsk,
  NotConnected,
  ProbeTookTooLong,
  TooManyWaiting,
  TooSoon,
  UnknownPeer
} from "../../domain/probe/ProbeNow.ts"
import { GivenPeer } from "../../domain/peer/GivenPeer.ts"
import { ProvidersView } from "../../domain/peer/Providers.ts"
import { SlotMatrix } from "../../domain/matrix/MatrixView.ts"
import { PeerDetail } from "../../domain/report/PeerDetail.ts"
import { Availability } from "../../domain/report/Question.ts"
import { SlotDetail } from "../../domain/report/SlotDetail.ts"
import { Status } from "../../domain/Status.ts"
import { version } from "../../Version.ts"
import { GivenPeers } from "./RequestSchemas.ts"
import { Alive, ArrivalsOfSlot, Clients, Columns, PeerPage, ProbePage, Ready, ReportRows } from "./ResponseSchemas.ts"
import {
  BadBody,
  BadParameter,
  HistoryBusy,
  HistoryTooSlow,
  HistoryUnavailable,
  NotAlive,
  NotReady,
  UnknownProbe
} from "./ApiErrors.ts"
import { failing } from "./Failing.ts"
import * as Parameters from "./Parameters.ts"
import { Blobs } from "./BlobApi.ts"
import { Scans } from "./ScanApi.ts"
import { TokenNeeded } from "./TokenNeeded.ts"

/** Refuses what is wrong in a path or a query, unknown parameters too, before anything is done with it. */
export class CheckedParameters extends HttpApiMiddleware.Tag<CheckedParameters>()("dasmon/CheckedParameters", {
  failure: failing(BadParameter, "BadParameter")
}) {}

const historyErrors = Schema.Union(
  failing(HistoryBusy, "HistoryBusy"),
  failing(HistoryUnavailable, "HistoryUnavailable"),
  failing(HistoryTooSlow, "HistoryTooSlow")
)

const unknownPeer = failing(UnknownPeer, "UnknownPeer")

const peerPath = Schema.Struct({ peerId: Parameters.PeerId })

const Monitor = HttpApiGroup.make("monitor", { topLevel: true })
  .annotate(OpenApi.Description, "The monitor itself.")
  .add(
    HttpApiEndpoint.get("status", "/status")
      .addSuccess(Status)
      .annotate(OpenApi.Description, "How the monitor itself is doing, and what it found over all peers.")
  )
  .add(
    HttpApiEndpoint.get("snapshot", "/snapshot")
      .addSuccess(Snapshot)
      .annotate(OpenApi.Description, "Status and all peers at one sequence number of the event stream.")
  )
  .add(
    HttpApiEndpoint.get("healthz", "/healthz")
      .addSuccess(Alive)
      .addError(failing(NotAlive, "NotAlive"))
      .annotate(
        OpenApi.Description,
        "Whether all that runs in the background works. What fails is tried again by itself."
      )
  )
  .add(
    HttpApiEndpoint.get("readyz", "/readyz")
      .addSuccess(Ready)
      .addError(failing(NotReady, "NotReady"))
      .annotate(OpenApi.Description, "Whether the head of the chain is known and fresh, and the history is recorded.")
  )

const Peers = HttpApiGroup.make("peers", { topLevel: true })
  .annotate(OpenApi.Description, "Who is watched, what they claim, and what came of asking them for it.")
  .add(
    HttpApiEndpoint.get("peers", "/peers")
      .setUrlParams(
        Schema.Struct({
          verdict: Schema.optional(Parameters.VerdictParameter),
          client: Schema.optional(Parameters.ClientParameter),
          column: Schema.optional(Parameters.ClaimedColumn),
          connected: Schema.optional(Parameters.Connected),
          suspicions: Schema.optional(Parameters.Suspicions),
          limit: Schema.optional(Parameters.integer(1, 1000, "Peers in one response, at most; 1000 if not given.")),
          cursor: Schema.optional(Parameters.PeerCursor)
        })
      )
      .addSuccess(PeerPage)
      .annotate(OpenApi.Description, "The peers that are tracked, in the order of their ids.")
  )
  .add(
    HttpApiEndpoint.get("providers", "/providers")
      .addSuccess(ProvidersView)
      .annotate(
        OpenApi.Description,
        "The peers of `das_providers`, their uptime and latency; and nodes that keep all columns, which might be some."
      )
  )
  .add(
    HttpApiEndpoint.post("givePeers", "/peers")
      .setPayload(GivenPeers)
      .addSuccess(Schema.Struct({ peers: Schema.Array(GivenPeer) }))
      .addError(failing(BadBody, "BadBody"))
      .middleware(TokenNeeded)
      .annotate(
        OpenApi.Description,
        "Peers to look for from now on; each is answered, in the same order. Only where `http.token` is set, and with it."
      )
  )
  .add(
    HttpApiEndpoint.get("peer", "/peers/:peerId")
      .setPath(peerPath)
      .addSuccess(PeerDetail)
      .addError(unknownPeer)
      .addError(historyErrors)
      .annotate(
        OpenApi.Description,
        "Everything that is known of one peer, also of one that left: every claim, the last failures with their reasons, " +
          "what is suspected and not settled, how much was tested and what that says, and its days."
      )
  )
  .add(
    HttpApiEndpoint.post("probeNow", "/peers/:peerId/probe")
      .setPath(peerPath)
      .addSuccess(Probe)
      .addError(unknownPeer)
      .addError(
        Schema.Union(
          failing(NotConnected, "NotConnected"),
          failing(NothingToAsk, "NothingToAsk"),
          failing(TooSoon, "TooSoon"),
          failing(TooManyWaiting, "TooManyWaiting"),
          failing(ProbeTookTooLong, "ProbeTookTooLong")
        )
      )
      .annotate(
        OpenApi.Description,
        "Waits for the peer's next probe and responds with it. It is made as soon as the budgets of all probes allow: " +
          "after `test_interval`, and when a worker is free."
      )
  )

const History = HttpApiGroup.make("history", { topLevel: true })
  .annotate(OpenApi.Description, "What was found out, from the database.")
  .add(
    HttpApiEndpoint.get("slot", "/slots/:slot")
      .setPath(Schema.Struct({ slot: Parameters.Slot }))
      .setUrlParams(
        Schema.Struct({
          limit: Schema.optional(Parameters.integer(0, 1000, "Peers named for each column, at most; 10 if not given."))
        })
      )
      .addSuccess(SlotDetail)
      .addError(historyErrors)
      .annotate(
        OpenApi.Description,
        "A slot: its block, who has proven to hold which of its columns, and whether those are enough to reconstruct it."
      )
  )
  .add(
    HttpApiEndpoint.get("matrix", "/slots/:slot/matrix")
      .setPath(Schema.Struct({ slot: Parameters.Slot }))
      .addSuccess(SlotMatrix)
      .annotate(
        OpenApi.Description,
        "The matrix of each block of one of the last 64 slots, as far as this node holds it: which columns, from whom, " +
          "pushed, asked for or computed, since when, and how many are missing for the rest to be computed."
      )
  )
  .add(
    HttpApiEndpoint.get("arrivals", "/slots/:slot/arrivals")
      .setPath(Schema.Struct({ slot: Parameters.Slot }))
      .addSuccess(ArrivalsOfSlot)
      .addError(historyErrors)
      .annotate(
        OpenApi.Description,
        "When each column of the slot's blocks came over gossip, from whom first, and how many copies after it; written " +
          "half a minute later. Nothing of it says who stores a column, and a late one may have been computed from others."
      )
  )
  .add(
    HttpApiEndpoint.get("availability", "/availability")
      .setUrlParams(
        Schema.Struct({
          since: Schema.optional(Parameters.SinceThen),
          limit: Schema.optional(Parameters.integer(1, 1000, "Blocks in one response, at most; 100 if not given.")),
          cursor: Schema.optional(Parameters.integer(1, Number.MAX_SAFE_INTEGER, "`next` of the page before."))
        })
      )
      .addSuccess(Availability)
      .addError(historyErrors)
      .annotate(
        OpenApi.Description,
        "What sampling each new block came to, newest first, and, over all blocks since, what share was decided in time for a " +
          "fork choice that follows so many slots behind, by stricter and laxer deadlines."
      )
  )
  .add(
    HttpApiEndpoint.get("columns", "/columns")
      .setUrlParams(Schema.Struct({ since: Schema.optional(Parameters.Since) }))
      .addSuccess(Columns)
      .addError(historyErrors)
      .annotate(
        OpenApi.Description,
        "Each of the 128 columns: who claims it, and how often it was really there, with and without what was suspected."
      )
  )
  .add(
    HttpApiEndpoint.get("clients", "/clients")
      .setUrlParams(Schema.Struct({ since: Schema.optional(Parameters.Since) }))
      .addSuccess(Clients)
      .addError(historyErrors)
      .annotate(
        OpenApi.Description,
        "Compliance by client, and by client and version, with and without what was suspected."
      )
  )
  .add(
    HttpApiEndpoint.get("probes", "/probes")
      .setUrlParams(
        Schema.Struct({
          peer: Schema.optional(Parameters.PeerId),
          slot: Schema.optional(Parameters.Slot),
          column: Schema.optional(Parameters.Column),
          outcome: Schema.optional(Parameters.OutcomeParameter),
          limit: Schema.optional(Parameters.integer(1, 1000, "Probes in one response, at most; 100 if not given.")),
          cursor: Schema.optional(Parameters.integer(1, Number.MAX_SAFE_INTEGER, "`next` of the page before."))
        })
      )
      .addSuccess(ProbePage)
      .addError(historyErrors)
      .annotate(OpenApi.Description, "Probes, the newest first.")
  )
  .add(
    HttpApiEndpoint.get("probe", "/probes/:id")
      .setPath(Schema.Struct({ id: Parameters.ProbeId }))
      .addSuccess(Probe)
      .addError(failing(UnknownProbe, "UnknownProbe"))
      .addError(historyErrors)
      .annotate(OpenApi.Description, "One probe, with the outcome of every combination in it.")
  )
  .add(
    HttpApiEndpoint.get("report", "/report")
      .setUrlParams(
        Schema.Struct({
          by: Schema.optional(Parameters.ReportBy),
          since: Schema.optional(Parameters.Since),
          limit: Schema.optional(Parameters.integer(1, 10_000, "Rows, at most; 200 if not given."))
        })
      )
      .addSuccess(ReportRows)
      .addError(historyErrors)
      .annotate(OpenApi.Description, "What `dasmon report` says.")
  )

/** The HTTP API; `/ws` and `/events` stand beside it, since OpenAPI cannot describe them. */
export const Api = HttpApi.make("dasmon")
  .add(Monitor)
  .add(Peers)
  .add(History)
  .add(Blobs)
  .add(Scans)
  .middleware(CheckedParameters)
  .annotate(OpenApi.Title, "dasmon")
  .annotate(OpenApi.Version, version)
  .annotate(
    OpenApi.Description,
    "Live custody monitoring for Ethereum's PeerDAS. Moments are Unix milliseconds. Errors are JSON with a `_tag`."
  )
