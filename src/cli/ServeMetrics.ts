import { Console, Effect, Layer } from "effect"
import type { Config } from "../config/Config.ts"
import * as MetricsRecorder from "../http/metrics/MetricsRecorder.ts"
import * as MetricsServer from "../http/metrics/MetricsServer.ts"
import type { NodeMetrics } from "../wire/NodeMetrics.ts"

/** Keeps the metrics and serves them, those of the libp2p node with the monitor's own. */
export const layer = ({ httpAddr, metrics }: Config, nodeMetrics?: NodeMetrics) =>
  Layer.merge(
    MetricsRecorder.layer,
    Layer.effectDiscard(
      Effect.flatMap(MetricsServer.MetricsAddress, ({ url }) => Console.log(`metrics at ${url}`))
    ).pipe(
      Layer.provide(MetricsServer.layer({ host: httpAddr.host, port: metrics.port, more: nodeMetrics?.exposition }))
    )
  )
