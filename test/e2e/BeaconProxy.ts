import { createServer, request, type IncomingMessage, type ServerResponse } from "node:http"
import { Effect, type Scope } from "effect"

/** An HTTP stand-in before a Beacon API on 127.0.0.1: it passes everything on, event streams too. */
export interface BeaconProxy {
  readonly url: string
  /** Refuses connections from now on, and breaks those that there are. */
  readonly stop: Effect.Effect<void>
  /** Answers again, at the same address. */
  readonly start: Effect.Effect<void>
  /** Whether it names other blocks as final than the node behind it. */
  readonly setForked: (forked: boolean) => Effect.Effect<void>
}

export const makeBeaconProxy = (upstream: string): Effect.Effect<BeaconProxy, never, Scope.Scope> =>
  Effect.gen(function* () {
    let isForked = false
    const answer = (asked: IncomingMessage, response: ServerResponse): void => {
      const passed = request(
        `${upstream}${asked.url ?? ""}`,
        { headers: { accept: asked.headers.accept } },
        (given) => {
          if (isForked && asked.url?.endsWith("finality_checkpoints") === true) {
            const parts: Array<Buffer> = []
            given.on("data", (part: Buffer) => parts.push(part))
            given.on("end", () => {
              const text = Buffer.concat(parts).toString("utf8")
              response.writeHead(200, { "content-type": "application/json" })
              response.end(text.replaceAll(/"root":"0x../g, '"root":"0xff'))
            })
            return
          }
          response.writeHead(given.statusCode ?? 500, given.headers)
          given.pipe(response)
        }
      )
      passed.once("error", () => response.destroy())
      response.once("close", () => passed.destroy())
      passed.end()
    }
    const server = createServer(answer)
    const listen = (port: number) =>
      Effect.async<void>((resume) => {
        server.listen(port, "127.0.0.1", () => resume(Effect.void))
      })
    const stop = Effect.async<void>((resume) => {
      server.close(() => resume(Effect.void))
      server.closeAllConnections()
    })
    yield* Effect.acquireRelease(listen(0), () => stop)
    const address = server.address()
    const port = typeof address === "object" && address !== null ? address.port : 0
    return {
      url: `http://127.0.0.1:${port}`,
      stop,
      start: listen(port),
      setForked: (forked) =>
        Effect.sync(() => {
          isForked = forked
        })
    }
  })
