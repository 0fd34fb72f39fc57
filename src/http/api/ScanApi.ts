import * as HttpApiEndpoint from "@effect/platform/HttpApiEndpoint"
import * as HttpApiGroup from "@effect/platform/HttpApiGroup"
import * as OpenApi from "@effect/platform/OpenApi"
import { Schema } from "effect"
import {
  InvalidScan,
  ScanRequest,
  ScansUnavailable,
  ScanState,
  ScanUnderWay,
  TooManyScans,
  UnknownScan
} from "../../domain/scan/ScanRequest.ts"
import { BadBody } from "./ApiErrors.ts"
import { failing } from "./Failing.ts"
import * as Parameters from "./Parameters.ts"
import { TokenNeeded } from "./TokenNeeded.ts"

/** One node on demand. */
export const Scans = HttpApiGroup.make("scans", { topLevel: true })
  .annotate(OpenApi.Description, "One node on demand, known to the monitor or not: what `dasmon scan` does.")
  .add(
    HttpApiEndpoint.post("startScan", "/scan")
      .setPayload(ScanRequest)
      .addSuccess(ScanState, { status: 202 })
      .addError(
        Schema.Union(
          failing(BadBody, "BadBody"),
          failing(InvalidScan, "InvalidScan"),
          failing(ScanUnderWay, "ScanUnderWay"),
          failing(TooManyScans, "TooManyScans"),
          failing(ScansUnavailable, "ScansUnavailable")
        )
      )
      .middleware(TokenNeeded)
      .annotate(
        OpenApi.Description,
        "Begins a scan and responds at once with its `id`. It takes about a minute, by a node with an identity of its own: " +
          "`GET /scan/:id` tells how it stands, and events of type `ScanProgress` how it goes on. Needs `http.token`; two scans " +
          "may be under way, one of each peer."
      )
  )
  .add(
    HttpApiEndpoint.get("scanState", "/scan/:id")
      .setPath(Schema.Struct({ id: Parameters.ProbeId }))
      .addSuccess(ScanState)
      .addError(failing(UnknownScan, "UnknownScan"))
      .annotate(
        OpenApi.Description,
        "A scan as it stands; its `report` is there once it is over. The last 64 are kept."
      )
  )
