import { createSocket, type Socket } from "node:dgram"
import { Effect, type Scope } from "effect"

/**
 * A port of UDP of this machine that passes on what comes to `target`, and what comes back; no more than so many
 * datagrams from each that sends, when there is a limit.
 */
export const relayTo = (
  target: number,
  most: { readonly there: number; readonly back: number } = { there: Infinity, back: Infinity }
): Effect.Effect<
  { readonly port: number; readonly passed: () => number; readonly cut: Effect.Effect<void> },
  never,
  Scope.Scope
> =>
  Effect.gen(function* () {
    const outer = yield* socket
    const inner = new Map<number, { readonly socket: Socket; there: number; back: number }>()
    let passed = 0
    let isCut = false
    yield* Effect.addFinalizer(() => Effect.sync(() => inner.forEach(({ socket }) => socket.close())))
    outer.on("message", (bytes, from) => {
      let way = inner.get(from.port)
      if (way === undefined) {
        const made = { socket: createSocket("udp4"), there: 0, back: 0 }
        made.socket.on("message", (answer) => {
          if (made.back++ < most.back && !isCut) outer.send(answer, from.port, from.address)
        })
        inner.set(from.port, made)
        way = made
      }
      if (way.there++ >= most.there || isCut) return
      passed++
      way.socket.send(bytes, target, "127.0.0.1")
    })
    return { port: outer.address().port, passed: () => passed, cut: Effect.sync(() => (isCut = true)) }
  })

const socket = Effect.acquireRelease(
  Effect.async<Socket>((resume) => {
    const made = createSocket("udp4")
    made.bind(0, "127.0.0.1", () => resume(Effect.succeed(made)))
  }),
  (made) => Effect.sync(() => made.close())
)

/** A port of UDP that takes what comes, and says nothing. */
export const deadPort = Effect.map(socket, (made) => made.address().port)
