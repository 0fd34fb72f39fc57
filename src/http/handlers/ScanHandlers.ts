import { HttpApiBuilder, HttpServerResponse } from "@effect/platform"
import { Effect, ParseResult, Schema } from "effect"
import { Dasmon } from "../../Dasmon.ts"
import { InvalidScan, ScanRequest, ScanState } from "../../domain/scan/ScanRequest.ts"
import { Api } from "../api/Api.ts"
import { errorResponse } from "../api/ApiErrors.ts"
import { jsonResponse } from "./JsonResponse.ts"

/** One node on demand. */
export const layer = HttpApiBuilder.group(Api, "scans", (handlers) =>
  Effect.map(Dasmon, (dasmon) =>
    handlers
      .handleRaw("startScan", ({ request }) =>
        Effect.gen(function* () {
          const body = yield* Effect.mapError(request.json, () => new InvalidScan({ reason: "the body is not JSON" }))
          const state = yield* dasmon.scan(yield* scanRequest(body))
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

const decode = Schema.decodeUnknown(ScanRequest, { onExcessProperty: "error" })

const scanRequest = (body: unknown) =>
  Effect.mapError(decode(body), (error) => {
    const [issue] = ParseResult.ArrayFormatter.formatErrorSync(error)
    const place = issue === undefined || issue.path.length === 0 ? "" : `${issue.path.map(String).join(".")}: `
    return new InvalidScan({ reason: `${place}${issue?.message ?? "not allowed"}`.slice(0, 300) })
  })
