import * as HttpLayerRouter from "@effect/platform/HttpLayerRouter"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { Context, Effect, Layer, Metric } from "effect"
import { formatAddress, type HttpServerError } from "../server/HttpServerError.ts"
import * as NodeServer from "../server/NodeServer.ts"
import * as Prometheus from "./Prometheus.ts"
import { layerCommon, layerMethodNotAllowed } from "../server/Routes.ts"

/** Where the metrics are served. */
export class MetricsAddress extends Context.Tag("dasmon/MetricsAddress")<
  MetricsAddress,
  { readonly port: number; /** With `/metrics`. */ readonly url: string }
>() {}

/** `GET /metrics` on a port of its own. */
export const layer = ({
  more,
  ...options
}: {
  readonly host: string
  /** 0 for any that is free. */
  readonly port: number
  /** Prometheus text that comes after the monitor's own; its names must not begin with `dasmon_`. */
  readonly more?: Effect.Effect<string> | undefined
}): Layer.Layer<MetricsAddress, HttpServerError> => {
  const listening = NodeServer.layer({ key: "metrics.port", ...options, maxConnections: 64 })
  const routes = Layer.mergeAll(
    HttpLayerRouter.add("GET", "/metrics", exposition(more ?? Effect.succeed(""))),
    layerMethodNotAllowed(new Map([["/metrics", ["GET"]]])),
    // Whoever scrapes it calls it as it likes; there is nothing here that a page could do.
    layerCommon({ allowedOrigins: [], allowedHosts: "any" })
  )
  const address = Layer.effect(
    MetricsAddress,
    Effect.map(HttpServer.HttpServer, ({ address }) => {
      const port = address._tag === "TcpAddress" ? address.port : options.port
      return { port, url: `http://${formatAddress(options.host, port)}/metrics` }
    })
  )
  return HttpLayerRouter.serve(routes, { disableLogger: true, disableListenLog: true }).pipe(
    Layer.provide(NodeHttpServer.layerContext),
    Layer.merge(address),
    Layer.provide(listening),
    // The router is a layer like any other: without this it would be the one of the HTTP API.
    Layer.fresh
  )
}

/** Without the metrics that the Effect runtime keeps of its fibers. */
const exposition = (more: Effect.Effect<string>) =>
  Effect.zipWith(Metric.snapshot, more, (pairs, others) =>
    HttpServerResponse.text(
      Prometheus.render(pairs.filter(({ metricKey }) => metricKey.name.startsWith("dasmon_"))) + others,
      { contentType: Prometheus.contentType }
    )
  )
