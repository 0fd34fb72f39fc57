/** The package `dasmon/http`: the HTTP API with its streams and page, and the metrics for Prometheus. */

export { Api } from "../http/api/Api.ts"
export * as MetricsRecorder from "../http/metrics/MetricsRecorder.ts"
export * as MetricsServer from "../http/metrics/MetricsServer.ts"
export { HttpServerError } from "../http/server/HttpServerError.ts"
export type { Access } from "../http/server/Security.ts"
export * as HttpServer from "../http/server/Server.ts"
