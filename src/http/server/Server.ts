import * as HttpLayerRouter from "@effect/platform/HttpLayerRouter"
import * as HttpServer from "@effect/platform/HttpServer"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { Context, Effect, Layer } from "effect"
import type { Dasmon } from "../../Dasmon.ts"
import { Api } from "../api/Api.ts"
import * as CheckParameters from "../api/CheckParameters.ts"
import { TokenNeeded } from "../api/TokenNeeded.ts"
import * as Documents from "../page/Documents.ts"
import * as BlobHandlers from "../handlers/BlobHandlers.ts"
import * as HistoryHandlers from "../handlers/HistoryHandlers.ts"
import { formatAddress, type HttpServerError } from "./HttpServerError.ts"
import * as MonitorHandlers from "../handlers/MonitorHandlers.ts"
import * as NodeServer from "./NodeServer.ts"
import * as PeerHandlers from "../handlers/PeerHandlers.ts"
import * as ScanHandlers from "../handlers/ScanHandlers.ts"
import { type Access, openAccess } from "./Security.ts"
import { layerCommon, layerMethodNotAllowed, methodsOf, type MethodsByPath } from "./Routes.ts"
import { sseHandler } from "../stream/SseFeed.ts"
import { defaultStreamLimits, makeStreamHub, type StreamLimits } from "../stream/StreamHub.ts"
import { webSocketHandler } from "../stream/WebSocketFeed.ts"

export interface ServerOptions {
  readonly host: string
  /** 0 for any that is free. */
  readonly port: number
  /** Everyone who can connect, from the server's own page or none, unless given. */
  readonly access?: Access
  readonly streams?: Partial<StreamLimits>
}

/** Where the HTTP API listens. */
export class HttpAddress extends Context.Tag("dasmon/HttpAddress")<
  HttpAddress,
  {
    readonly host: string
    /** The real one, also when 0 was asked for. */
    readonly port: number
    /** `http://host:port`, to open in a browser. */
    readonly url: string
  }
>() {}

/** The dashboard, the HTTP API and the event stream. */
export const layer = (options: ServerOptions): Layer.Layer<HttpAddress, HttpServerError, Dasmon> => {
  const streams = { ...defaultStreamLimits, ...options.streams }
  const listening = NodeServer.layer({
    key: "http_addr",
    host: options.host,
    port: options.port,
    maxConnections: streams.maxStreams + otherConnections
  })
  const routes = Layer.mergeAll(
    HttpLayerRouter.addHttpApi(Api).pipe(
      Layer.provide([
        MonitorHandlers.layer,
        HistoryHandlers.layer,
        BlobHandlers.layer,
        Layer.provide(
          Layer.merge(PeerHandlers.layer, ScanHandlers.layer),
          TokenNeeded.layer({ hasToken: options.access?.token !== undefined })
        ),
        CheckParameters.layer
      ])
    ),
    Documents.layer,
    HttpLayerRouter.use((router) =>
      Effect.flatMap(makeStreamHub(streams), (hub) =>
        Effect.zipRight(router.add("GET", "/ws", webSocketHandler(hub)), router.add("GET", "/events", sseHandler(hub)))
      )
    ),
    layerMethodNotAllowed(methodsByPath),
    layerCommon(options.access ?? openAccess)
  )
  const address = Layer.effect(
    HttpAddress,
    Effect.map(HttpServer.HttpServer, ({ address }) => {
      const port = address._tag === "TcpAddress" ? address.port : options.port
      return { host: options.host, port, url: `http://${formatAddress(browsable(options.host), port)}` }
    })
  )
  return HttpLayerRouter.serve(routes, { disableLogger: true, disableListenLog: true }).pipe(
    Layer.provide(NodeHttpServer.layerContext),
    Layer.merge(address),
    Layer.provide(listening),
    // The router is a layer like any other: without this a second server in the program would share its routes.
    Layer.fresh
  )
}

/** Connections that may be open beside the streams. */
const otherConnections = 256

const methodsByPath: MethodsByPath = new Map([
  ...methodsOf(Api),
  ...Documents.methods,
  ["/ws", ["GET"]],
  ["/events", ["GET"]]
])

/** A host that a browser can open: not the wildcards. */
const browsable = (host: string): string => (host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host)
