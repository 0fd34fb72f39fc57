import { connect, type Socket } from "node:net"
import { Effect, Schedule, type Scope } from "effect"

export interface IdleSockets {
  /** How many are open at this moment, and how many there were in all. */
  readonly counts: Effect.Effect<{ readonly open: number; readonly opened: number }>
}

/**
 * Keeps so many TCP connections to a port of 127.0.0.1 open that never say a word, all from the same address; one that is
 * closed is soon followed by another.
 */
export const idleSockets = (port: number, count: number): Effect.Effect<IdleSockets, never, Scope.Scope> =>
  Effect.gen(function* () {
    const sockets = new Set<Socket>()
    let opened = 0
    const openOne = (): void => {
      const socket = connect({ host: "127.0.0.1", port, localAddress: "127.0.0.1" })
      sockets.add(socket)
      socket.once("connect", () => opened++)
      socket.once("close", () => sockets.delete(socket))
      socket.on("error", () => socket.destroy())
      socket.resume()
    }
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        for (const socket of sockets) socket.destroy()
      })
    )
    const refill = Effect.sync(() => {
      for (let missing = Math.min(perRound, count - sockets.size); missing > 0; missing--) openOne()
    })
    yield* Effect.forkScoped(Effect.repeat(refill, Schedule.spaced("50 millis")))
    return { counts: Effect.sync(() => ({ open: sockets.size, opened })) }
  })

/** Fifty a second. */
const perRound = 5

/**
 * Whether somebody who comes to the port from 127.0.0.2 is spoken to within five seconds: both sides of libp2p begin with
 * the name of multistream-select.
 */
export const isNewcomerHeard = (port: number): Effect.Effect<boolean> =>
  Effect.async<boolean>((resume) => {
    const socket = connect({ host: "127.0.0.1", port, localAddress: "127.0.0.2" })
    const end = (heard: boolean): void => {
      socket.destroy()
      resume(Effect.succeed(heard))
    }
    socket.once("connect", () => socket.write("\x13/multistream/1.0.0\n"))
    socket.once("data", () => end(true))
    socket.once("error", () => end(false))
    socket.once("close", () => end(false))
    return Effect.sync(() => socket.destroy())
  }).pipe(Effect.timeoutTo({ duration: "5 seconds", onSuccess: (heard) => heard, onTimeout: () => false }))
