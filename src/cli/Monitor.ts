import { Console, Duration, Effect, Layer } from "effect"
import { type Config, spillFolderOf } from "../config/Config.ts"
import { Dasmon, type EngineOptions } from "../Dasmon.ts"
import * as MetricsRecorder from "../http/metrics/MetricsRecorder.ts"
import * as MetricsServer from "../http/metrics/MetricsServer.ts"
import type { Access } from "../http/server/Security.ts"
import * as Server from "../http/server/Server.ts"
import type { Externs } from "../host/Externs.ts"
import type { Host } from "../host/Host.ts"
import { Daemons } from "../runtime/Daemon.ts"
import { Doubts } from "../runtime/Doubts.ts"
import { version } from "../Version.ts"
import type { NodeMetrics } from "../wire/NodeMetrics.ts"
import * as Xatu from "../xatu/Xatu.ts"
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
  const metrics = config.metrics.enabled
    ? Layer.merge(MetricsRecorder.layer, metricsServer(config, options))
    : Layer.empty
  const outward = Layer.mergeAll(
    Narrator.layer({ note: options.note, print: Console.log, summaryInterval: Duration.seconds(30) }),
    announce.pipe(Layer.provide(Server.layer({ ...config.httpAddr, access: accessOf(config) }))),
    metrics,
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

const xatu = (config: Config) =>
  config.xatu === undefined ? Layer.empty : Xatu.layer(config.xatu, { version, spillFolder: spillFolderOf(config) })

const announce = Layer.effectDiscard(
  Effect.flatMap(Server.HttpAddress, ({ url }) => Console.log(`open ${url}   (stop with Ctrl-C)\n`))
)

const metricsServer = ({ httpAddr, metrics }: Config, { nodeMetrics }: MonitorOptions) =>
  Layer.effectDiscard(Effect.flatMap(MetricsServer.MetricsAddress, ({ url }) => Console.log(`metrics at ${url}`))).pipe(
    Layer.provide(MetricsServer.layer({ host: httpAddr.host, port: metrics.port, more: nodeMetrics?.exposition }))
  )
