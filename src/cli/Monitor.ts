import { Console, Duration, Effect, Layer } from "effect"
import { type Config, spillFolderOf } from "../config/Config.ts"
import { Dasmon, type EngineOptions } from "../Dasmon.ts"
import type { Access } from "../http/server/Security.ts"
import * as Server from "../http/server/Server.ts"
import type { Externs } from "../host/Externs.ts"
import type { Host } from "../host/Host.ts"
import { Daemons } from "../runtime/Daemon.ts"
import { Doubts } from "../runtime/Doubts.ts"
import { version } from "../Version.ts"
import type { NodeMetrics } from "../wire/NodeMetrics.ts"
import { lazy } from "./CommandParts.ts"
import * as Narrator from "./Narrator.ts"

export interface MonitorOptions extends EngineOptions {
  /** What is printed behind a peer; see `Narrator`. */
  readonly note: (peerId: string) => string
  /** What our libp2p node measures of itself, served with the monitor's own metrics. */
  readonly nodeMetrics?: NodeMetrics
}

/** The monitor as a program: the engine, its HTTP API, its metrics, what it ships to Xatu, and what it prints. */
export const layer = <E>(config: Config, options: MonitorOptions, host: Layer.Layer<Externs | Host, E>) =>
  layerOver(config, options, Layer.provide(Dasmon.layer(config, options), host))

/** The same over an engine of the caller's choice. All of it shares one account of what fails, and one of what is doubted. */
export const layerOver = <E>(config: Config, options: MonitorOptions, engine: Layer.Layer<Dasmon, E>) => {
  const outward = Layer.mergeAll(
    Narrator.layer({
      note: options.note,
      print: Console.log,
      everySlot: options.simulated,
      summaryInterval: Duration.seconds(30)
    }),
    announce.pipe(Layer.provide(Server.layer({ ...config.httpAddr, access: accessOf(config) }))),
    metrics(config, options),
    xatu(config)
  )
  return haltFirst.pipe(
    Layer.provideMerge(outward),
    Layer.provide(engine),
    Layer.provide([Daemons.layerUnlessShared, Doubts.layerUnlessShared])
  )
}

/** Scopes close in reverse: probing ends while all that carries its events away is still there. */
const haltFirst = Layer.scopedDiscard(
  Effect.flatMap(Dasmon, ({ halt }) =>
    Effect.addFinalizer(() => Effect.timeoutOption(Effect.interruptible(halt), "2 seconds"))
  )
)

const accessOf = ({ http }: Config): Access => ({
  token: http.token,
  allowedOrigins: http.allowedOrigins,
  allowedHosts: http.allowedHosts
})

// Both are loaded only where they are wanted: gRPC and protobuf alone take 10 MiB.

const metrics = (config: Config, { nodeMetrics }: MonitorOptions) =>
  config.metrics.enabled
    ? Layer.unwrapEffect(
        Effect.map(
          lazy(() => import("./ServeMetrics.ts")),
          (ServeMetrics) => ServeMetrics.layer(config, nodeMetrics)
        )
      )
    : Layer.empty

const xatu = (config: Config) => {
  const { xatu } = config
  return xatu === undefined
    ? Layer.empty
    : Layer.unwrapEffect(
        Effect.map(
          lazy(() => import("../xatu/Xatu.ts")),
          (Xatu) => Xatu.layer(xatu, { version, spillFolder: spillFolderOf(config) })
        )
      )
}

const announce = Layer.effectDiscard(
  Effect.flatMap(Server.HttpAddress, ({ url }) => Console.log(`open ${url}   (stop with Ctrl-C)\n`))
)
