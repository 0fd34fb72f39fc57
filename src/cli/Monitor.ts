import { Effect, Layer } from "effect"
import type { Config } from "../config/Config.ts"
import { Dasmon, type EngineOptions } from "../Dasmon.ts"
import * as MetricsRecorder from "../http/MetricsRecorder.ts"
import * as MetricsServer from "../http/MetricsServer.ts"
import * as Server from "../http/Server.ts"
import * as Narrator from "./Narrator.ts"
import { print } from "./Print.ts"

export interface MonitorOptions extends EngineOptions {
  /** What is printed behind a peer; see `Narrator`. */
  readonly note: (peerId: string) => string
}

/** The monitor as a program: the engine, its HTTP API, its metrics, and what it prints. */
export const layer = (config: Config, options: MonitorOptions) => {
  const metrics = config.metrics.enabled ? Layer.merge(MetricsRecorder.layer, metricsServer(config)) : Layer.empty
  return Layer.mergeAll(
    Narrator.layer({ note: options.note, print, summaryIntervalMs: 30_000 }),
    announce.pipe(Layer.provide(Server.layer(config.httpAddr))),
    metrics
  ).pipe(Layer.provide(Dasmon.layer(config, options)))
}

const announce = Layer.effectDiscard(
  Effect.flatMap(Server.HttpAddress, ({ url }) => print(`open ${url}   (stop with Ctrl-C)\n`))
)

const metricsServer = ({ httpAddr, metrics }: Config) =>
  Layer.effectDiscard(Effect.flatMap(MetricsServer.MetricsAddress, ({ url }) => print(`metrics at ${url}`))).pipe(
    Layer.provide(MetricsServer.layer({ host: httpAddr.host, port: metrics.port }))
  )
