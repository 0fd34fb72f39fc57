import { createServer, request, type RequestListener } from "node:http"
import type { AddressInfo, Socket } from "node:net"
import { Effect, Ref, type Scope } from "effect"

/** `down`: nobody listens, and what was open is cut. `failing`: most answers are errors. `slow`: each takes seconds. */
type Mood = "well" | "down" | "failing" | "slow"

/** The way to the beacon node, on which things go wrong. */
export interface BadRoad {
  readonly url: string
  readonly set: (mood: Mood) => Effect.Effect<void>
}

/** Passes everything on to `target`, an http URL without a path, as long as it is well. */
export const makeBadRoad = (target: string): Effect.Effect<BadRoad, never, Scope.Scope> =>
  Effect.gen(function* () {
    const mood = yield* Ref.make<Mood>("well")
    const sockets = new Set<Socket>()
    let answers = 0
    const pass: RequestListener = (incoming, outgoing) => {
      const { headers, method, url = "/" } = incoming
      const onward = request(new URL(url, target), { headers, method }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(outgoing)
      })
      onward.on("error", () => outgoing.destroy())
      outgoing.on("close", () => onward.destroy())
      incoming.pipe(onward)
    }
    const server = createServer((incoming, outgoing) => {
      const now = Effect.runSync(Ref.get(mood))
      if (now === "slow") {
        const timer = setTimeout(() => pass(incoming, outgoing), slownessMs)
        outgoing.on("close", () => clearTimeout(timer))
      } else if (now === "failing" && answers++ % 3 !== 2) {
        outgoing.writeHead(answers % 2 === 0 ? 500 : 503, { "content-type": "application/json" })
        outgoing.end(JSON.stringify({ code: 503, message: "the node is starting" }))
      } else pass(incoming, outgoing)
    })
    server.on("connection", (socket) => {
      sockets.add(socket)
      socket.on("close", () => sockets.delete(socket))
      socket.on("error", () => socket.destroy())
    })
    const listen = (port: number) =>
      Effect.async<void>((resume) => {
        server.listen(port, "127.0.0.1", () => resume(Effect.void))
      })
    const close = Effect.async<void>((resume) => {
      server.close(() => resume(Effect.void))
      for (const socket of sockets) socket.destroy()
    })
    yield* listen(0)
    const { port } = addressOf(server.address())
    yield* Effect.addFinalizer(() => Effect.suspend(() => (server.listening ? close : Effect.void)))
    return {
      url: `http://127.0.0.1:${port}`,
      set: (next) =>
        Effect.gen(function* () {
          const before = yield* Ref.getAndSet(mood, next)
          if (next === "down" && before !== "down") yield* close
          if (next !== "down" && before === "down") yield* listen(port)
        }).pipe(Effect.uninterruptible)
    }
  })

const slownessMs = 2500

const addressOf = (address: AddressInfo | string | null): AddressInfo => {
  if (address === null || typeof address === "string") throw new Error("the proxy listens on no port")
  return address
}
