import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import { Effect, Schema } from "effect"
import { Dasmon } from "../../Dasmon.ts"
import { clientFamily } from "../../domain/peer/ClientFamily.ts"
import { Probe } from "../../domain/probe/Job.ts"
import type { PeerView } from "../../domain/peer/PeerView.ts"
import { GivenPeer } from "../../domain/peer/GivenPeer.ts"
import { ProvidersView } from "../../domain/peer/Providers.ts"
import { PeerDetail } from "../../domain/report/PeerDetail.ts"
import { GivenPeers } from "../api/RequestSchemas.ts"
import { PeerPage } from "../api/ResponseSchemas.ts"
import { bodyOf } from "./RequestBody.ts"
import { jsonResponse } from "./JsonResponse.ts"
import { Api } from "../api/Api.ts"
import { errorResponse, historyError } from "../api/ApiErrors.ts"

/** The peers that are watched, and those that were. */
export const layer = HttpApiBuilder.group(Api, "peers", (handlers) =>
  Effect.map(Dasmon, (dasmon) =>
    handlers
      .handle("peers", ({ urlParams }) =>
        Effect.flatMap(dasmon.peers, (views) => pageResponse(pageOf(views, urlParams)))
      )
      .handle("providers", () => Effect.flatMap(dasmon.providers, providersResponse))
      .handleRaw("givePeers", ({ request }) =>
        bodyOf(request, GivenPeers).pipe(
          Effect.flatMap(({ peers }) => dasmon.givePeers(peers)),
          Effect.flatMap((peers) => givenResponse({ peers })),
          Effect.catchAll((error) => Effect.succeed(errorResponse(error)))
        )
      )
      .handle("peer", ({ path }) =>
        dasmon.peer(path.peerId).pipe(
          Effect.mapError((error) => (error._tag === "ReportError" ? historyError(error) : error)),
          Effect.flatMap(detailResponse),
          Effect.catchAll((error) => Effect.succeed(errorResponse(error)))
        )
      )
      .handle("probeNow", ({ path }) =>
        dasmon.probeNow(path.peerId).pipe(
          Effect.flatMap(probeResponse),
          Effect.catchAll((error) => Effect.succeed(errorResponse(error)))
        )
      )
  )
)

const pageResponse = jsonResponse(PeerPage)
const providersResponse = jsonResponse(ProvidersView)
const givenResponse = jsonResponse(Schema.Struct({ peers: Schema.Array(GivenPeer) }))
const detailResponse = jsonResponse(PeerDetail)
const probeResponse = jsonResponse(Probe)

interface PeerFilter {
  readonly verdict?: PeerView["verdict"] | undefined
  readonly client?: string | undefined
  readonly column?: number | undefined
  readonly connected?: boolean | undefined
  readonly suspicions?: boolean | undefined
  readonly limit?: number | undefined
  readonly cursor?: string | undefined
}

/** In the order of their ids, so that a page goes on where the one before ended whoever comes and goes meanwhile. */
const pageOf = (views: ReadonlyArray<PeerView>, filter: PeerFilter): typeof PeerPage.Type => {
  const { client, column, connected, cursor, limit = 1000, suspicions, verdict } = filter
  const found = views
    .filter(
      (view) =>
        (verdict === undefined || view.verdict === verdict) &&
        (client === undefined || clientFamily(view.agent) === client) &&
        (column === undefined || view.custody?.columns.includes(column) === true) &&
        (connected === undefined || view.connected === connected) &&
        (suspicions === undefined || view.suspicions > 0 === suspicions)
    )
    .sort((a, b) => (a.peerId < b.peerId ? -1 : 1))
  const rest = cursor === undefined ? found : found.filter(({ peerId }) => peerId > cursor)
  const peers = rest.slice(0, limit)
  return { total: found.length, peers, next: rest.length > limit ? (peers.at(-1)?.peerId ?? null) : null }
}
