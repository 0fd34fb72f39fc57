import * as HttpApiBuilder from "@effect/platform/HttpApiBuilder"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import { Effect } from "effect"
import { Dasmon } from "../../Dasmon.ts"
import { ScanRequest, ScanState } from "../../domain/scan/ScanRequest.ts"
import { Api } from "../api/Api.ts"
import { errorResponse } from "../api/ApiErrors.ts"
import { jsonResponse } from "./JsonResponse.ts"
import { bodyOf } from "./RequestBody.ts"

/** One node on demand. */
export const layer = HttpApiBuilder.group(Api, "scans", (handlers) =>
  Effect.map(Dasmon, (dasmon) =>
    handlers
      .handleRaw("startScan", ({ request }) =>
        Effect.gen(function* () {
          const state = yield* dasmon.scan(yield* bodyOf(request, ScanRequest))
          return HttpServerResponse.setStatus(yield* stateResponse(state), 202)
        }).pipe(Effect.catchAll((error) => Effect.succeed(errorResponse(error))))
      )
      .handle("scanState", ({ path: { id } }) =>
        dasmon.scanned(id).pipe(
          Effect.flatMap(stateResponse),
          Effect.catchAll((error) => Effect.succeed(errorResponse(error)))
        )
      )
  )
)

const stateResponse = jsonResponse(ScanState)
