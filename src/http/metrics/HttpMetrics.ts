import type { HttpServerRequest, HttpServerResponse } from "@effect/platform"
import type { Effect } from "effect"
import { Metric } from "effect"
import { pathOf } from "../server/Security.ts"
import { httpRequests, httpRoutes, statusClasses } from "../../domain/metrics/Metrics.ts"

/** Counts a response by the pattern of the path, not the path itself: anyone can ask for any. */
export const countResponse = (
  request: HttpServerRequest.HttpServerRequest,
  response: HttpServerResponse.HttpServerResponse
): Effect.Effect<void> =>
  Metric.increment(httpRequests.of({ route: routeOf(pathOf(request)), status: statusOf(response.status) }))

const routeOf = (path: string): (typeof httpRoutes)[number] => {
  const parts = path.split("/")
  return patterns.find(({ pattern }) => matches(pattern, parts))?.route ?? "other"
}

const patterns = httpRoutes
  .filter((route) => route.startsWith("/"))
  .map((route) => ({ route, pattern: route.split("/") }))

const matches = (pattern: ReadonlyArray<string>, parts: ReadonlyArray<string>): boolean =>
  pattern.length === parts.length && pattern.every((part, index) => part.startsWith(":") || part === parts[index])

const statusOf = (status: number): (typeof statusClasses)[number] =>
  statusClasses[Math.floor(status / 100) - 1] ?? "5xx"
