import * as HttpLayerRouter from "@effect/platform/HttpLayerRouter"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { Context, Effect, Layer, Option, type Scope } from "effect"
import { createServer } from "node:http"
import type { DevChain } from "../chain/DevChain.ts"
import { DevnetError } from "../DevnetError.ts"
import { notFound, route } from "./Endpoint.ts"
import { blockRoutes } from "./BlockRoutes.ts"
import { configRoutes } from "./ConfigRoutes.ts"
import { eventRoutes } from "./EventRoutes.ts"
import { makeHabits } from "./Habits.ts"
import type { ApiHabit } from "./ApiHabit.ts"
import { dutyRoutes } from "./DutyRoutes.ts"
import { type BeaconNode, nodeRoutes } from "./NodeRoutes.ts"

/**
 * Serves the Beacon API on 127.0.0.1 until the scope closes, and gives its URL. `port` 0 takes any that is free; one
 * that is taken fails.
 */
export const serveBeaconApi = (
  chain: DevChain,
  node: BeaconNode,
  port: number,
  habit: ApiHabit = "plain"
): Effect.Effect<string, DevnetError, Scope.Scope> =>
  Effect.gen(function* () {
    const server = createServer()
    const habits = yield* makeHabits(habit, chain)
    const routes = HttpLayerRouter.addAll([
      ...configRoutes(chain.parameters),
      ...blockRoutes(chain, habits),
      ...dutyRoutes(chain),
      ...nodeRoutes(chain, node, habits),
      ...eventRoutes(chain, habits),
      route("*", "*", () => Effect.fail(notFound("there is no such endpoint")))
    ])
    // What stands before a route is not interrupted of itself when the client goes.
    const troubled = HttpLayerRouter.middleware(
      (answer) =>
        Effect.flatMap(HttpServerRequest.HttpServerRequest, ({ url }) =>
          // Who turns the devnet's own knobs is no client of the node.
          url.startsWith("/devnet/")
            ? answer
            : Effect.flatMap(
                Effect.interruptible(habits.trouble),
                Option.match({ onNone: () => answer, onSome: Effect.succeed })
              )
        ),
      { global: true }
    )
    const http = HttpLayerRouter.serve(Layer.merge(routes, troubled), {
      disableLogger: true,
      disableListenLog: true
    }).pipe(Layer.provideMerge(NodeHttpServer.layer(() => server, { port, host: "127.0.0.1" })))
    const context = yield* Layer.build(http)
    // Runs before the server closes, which would wait for the readers of events to go.
    yield* Effect.addFinalizer(() => Effect.sync(() => server.closeAllConnections()))
    const { address } = Context.get(context, HttpServer.HttpServer)
    if (address._tag === "UnixAddress") return yield* Effect.dieMessage("a server on TCP has no path")
    return `http://127.0.0.1:${address.port}`
  }).pipe(
    Effect.catchTag("ServeError", (error) =>
      Effect.fail(
        new DevnetError({
          reason: `the Beacon API cannot listen on 127.0.0.1:${port}: ${
            error.cause instanceof Error ? error.cause.message : String(error.cause)
          }`
        })
      )
    )
  )
