import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import { Clock, Duration, Effect, Option } from "effect"
import { Dasmon } from "../../Dasmon.ts"
import { numberOfColumns } from "../../domain/network/Chain.ts"
import { firstDayOf } from "../../domain/Day.ts"
import { Probe } from "../../domain/probe/Job.ts"
import { noOutcomes } from "../../domain/probe/Outcome.ts"
import type { PeerView } from "../../domain/peer/PeerView.ts"
import { Availability, type ComplianceBy, type ComplianceRow } from "../../domain/report/Question.ts"
import { SlotMatrix } from "../../domain/matrix/MatrixView.ts"
import { SlotDetail } from "../../domain/report/SlotDetail.ts"
import { cachedJsonResponse, jsonResponse } from "./JsonResponse.ts"
import { ArrivalsOfSlot, Clients, Columns, ProbePage, ReportRows } from "../api/ResponseSchemas.ts"
import { Api } from "../api/Api.ts"
import {
  type ApiError,
  errorResponse,
  historyError,
  type HistoryFault,
  HistoryUnavailable,
  UnknownProbe
} from "../api/ApiErrors.ts"

/** What was found out, from the database. */
export const layer = HttpApiBuilder.group(Api, "history", (handlers) =>
  Effect.map(Dasmon, (dasmon) => {
    const { reports } = dasmon
    const compliance = (by: ComplianceBy, since: Duration.Duration | undefined, limit: number) =>
      Effect.flatMap(periodOf(since), (period) => reports.compliance({ by, ...period, limit }))

    return handlers
      .handle("slot", ({ path, urlParams }) =>
        orHistoryError(Effect.flatMap(dasmon.slot(path.slot, urlParams.limit), slotResponse))
      )
      .handle("matrix", ({ path: { slot } }) => Effect.flatMap(dasmon.matrix(slot), matrixResponse))
      .handle("arrivals", ({ path: { slot } }) =>
        orHistoryError(Effect.flatMap(reports.slotArrivals({ slot }), (blocks) => arrivalsResponse({ slot, blocks })))
      )
      .handle("availability", ({ urlParams: { cursor, limit, since } }) =>
        orHistoryError(
          Effect.gen(function* () {
            const now = yield* Clock.currentTimeMillis
            return yield* availabilityResponse(
              yield* reports.availability({
                before: cursor,
                limit,
                since: since === undefined ? undefined : now - Duration.toMillis(since),
                slotDurationMs: dasmon.chain.slotDurationMs
              })
            )
          })
        )
      )
      .handle("columns", ({ urlParams: { since } }) =>
        orHistoryError(
          Effect.gen(function* () {
            const { rows } = yield* compliance("column", since, numberOfColumns)
            return yield* columnsResponse(columnsOf(rows, yield* dasmon.peers))
          })
        )
      )
      .handle("clients", ({ urlParams: { since } }) =>
        orHistoryError(
          Effect.gen(function* () {
            const clients = yield* compliance("client", since, mostClients)
            const versions = yield* compliance("version", since, mostClients)
            return yield* clientsResponse({
              clients: clients.rows.map((row) => ({ ...row, client: String(row.group) })),
              versions: versions.rows.map((row) => ({ ...row, version: String(row.group) }))
            })
          })
        )
      )
      .handle("probes", ({ urlParams: { cursor, peer, ...filter } }) =>
        orHistoryError(Effect.flatMap(reports.probes({ ...filter, peerId: peer, before: cursor }), probesResponse))
      )
      .handle("probe", ({ path: { id } }) =>
        dasmon.probe(id).pipe(
          Effect.mapError(({ reason }) => new HistoryUnavailable({ reason })),
          Effect.flatMap(Option.match({ onNone: () => new UnknownProbe({ id }), onSome: probeResponse })),
          Effect.catchAll(failed)
        )
      )
      .handle("report", ({ urlParams: { by = "client", limit = 200, since } }) =>
        orHistoryError(
          Effect.gen(function* () {
            if (by === "untested") return yield* reportResponse({ by, ...(yield* reports.untested({ limit })) })
            if (by === "worst") {
              return yield* reportResponse({ by, ...(yield* reports.worst({ ...(yield* periodOf(since)), limit })) })
            }
            if (by === "arrival" || by === "arrival-day" || by === "arrival-client") {
              const answer = yield* reports.arrivals({ by, ...(yield* periodOf(since)), limit })
              return yield* reportResponse({ by, ...answer })
            }
            return yield* reportResponse({ by, ...(yield* compliance(by, since, limit)) })
          })
        )
      )
  })
)

const arrivalsResponse = cachedJsonResponse(ArrivalsOfSlot)
const matrixResponse = jsonResponse(SlotMatrix)
const slotResponse = cachedJsonResponse(SlotDetail)
const availabilityResponse = jsonResponse(Availability)
const columnsResponse = cachedJsonResponse(Columns)
const clientsResponse = cachedJsonResponse(Clients)
const reportResponse = cachedJsonResponse(ReportRows)
const probesResponse = jsonResponse(ProbePage)
const probeResponse = cachedJsonResponse(Probe)

/** Clients and versions in one response: strangers choose what they call themselves. */
const mostClients = 1000

type ReportError = HistoryFault & { readonly _tag: "ReportError" }

const failed = (error: ApiError) => Effect.succeed(errorResponse(error))

const orHistoryError = <A, R>(response: Effect.Effect<A, ReportError, R>) =>
  Effect.catchTag(response, "ReportError", (error) => failed(historyError(error)))

/** Whole days, the first one included, as `dasmon report --since`. */
const periodOf = (since: Duration.Duration | undefined) =>
  Effect.map(Clock.currentTimeMillis, (now) => ({
    since: since === undefined ? undefined : firstDayOf(now, Duration.toMillis(since))
  }))

const columnsOf = (rows: ReadonlyArray<ComplianceRow>, views: ReadonlyArray<PeerView>): typeof Columns.Type => {
  const claims = Array.from({ length: numberOfColumns }, () => ({ claimed: 0, connected: 0 }))
  for (const { connected, custody } of views) {
    for (const column of custody?.columns ?? []) {
      const entry = claims[column]
      if (entry === undefined) continue
      entry.claimed++
      if (connected) entry.connected++
    }
  }
  const counted = new Map(rows.map((row) => [row.group, row]))
  return { columns: claims.map((claim, column) => ({ ...(counted.get(column) ?? untested), column, ...claim })) }
}

const untested = { tested: 0, blamed: 0, compliance: null, complianceWithSuspicions: null, outcomes: noOutcomes }
