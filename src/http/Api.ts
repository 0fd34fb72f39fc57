import { HttpApi, HttpApiEndpoint, HttpApiGroup, OpenApi } from "@effect/platform"
import { Schema } from "effect"
import { Snapshot } from "../Dasmon.ts"
import { PeerView } from "../domain/Peer.ts"
import { Status } from "../domain/Status.ts"

const Monitor = HttpApiGroup.make("monitor", { topLevel: true })
  .add(
    HttpApiEndpoint.get("status", "/status")
      .addSuccess(Status)
      .annotate(OpenApi.Description, "How the monitor itself is doing, and what it found over all peers.")
  )
  .add(
    HttpApiEndpoint.get("peers", "/peers")
      .addSuccess(Schema.Array(PeerView))
      .annotate(OpenApi.Description, "Every peer that is tracked: its claim, its outcomes and its verdict.")
  )
  .add(
    HttpApiEndpoint.get("snapshot", "/snapshot")
      .addSuccess(Snapshot)
      .annotate(OpenApi.Description, "Status and peers at one sequence number of the event stream.")
  )

/** The HTTP API; `/ws` stands beside it, since OpenAPI cannot describe it. */
export const Api = HttpApi.make("dasmon")
  .add(Monitor)
  .annotate(OpenApi.Title, "dasmon")
  .annotate(OpenApi.Description, "Live custody monitoring for Ethereum's PeerDAS.")
