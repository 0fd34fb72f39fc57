import { createSocket, type Socket } from "node:dgram"
import { Effect, Schema, type Scope } from "effect"
import { codeOf, messageOf } from "../../domain/Text.ts"
import { familyOf, type UdpEndpoint } from "./UdpEndpoint.ts"

/** discv5 could not be started; `reason` says what to do. */
export class Discv5Error extends Schema.TaggedError<Discv5Error>()("Discv5Error", { reason: Schema.String }) {
  override get message(): string {
    return `discv5: ${this.reason}`
  }
}

/** A socket that listens. */
export interface BoundSocket extends UdpEndpoint {
  readonly family: 4 | 6
  readonly socket: Socket
}

/** Listens on UDP until the scope closes; port 0 is any free one. */
export const bindUdp = ({ host, port }: UdpEndpoint): Effect.Effect<BoundSocket, Discv5Error, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.async<BoundSocket, Discv5Error>((resume) => {
      const family = familyOf(host)
      const socket = createSocket({
        type: family === 4 ? "udp4" : "udp6",
        ipv6Only: family === 6,
        recvBufferSize: 2 ** 18
      })
      socket.once("error", (error) => {
        socket.close()
        resume(new Discv5Error({ reason: `cannot listen on UDP port ${port} of ${host}: ${whatToDo(error)}` }))
      })
      socket.bind(port, host, () => {
        socket.removeAllListeners("error")
        // What goes wrong with one packet is no matter: it is as good as lost.
        socket.on("error", () => undefined)
        resume(Effect.succeed({ family, host, port: socket.address().port, socket }))
      })
    }),
    ({ socket }) =>
      Effect.async<void>((resume) => {
        socket.close(() => resume(Effect.void))
      })
  )

const whatToDo = (error: Error): string => {
  switch (codeOf(error)) {
    case "EADDRINUSE":
      return "another program has it; choose another port in discovery.listen_addresses"
    case "EADDRNOTAVAIL":
      return "this machine has no such address; see discovery.listen_addresses"
    case "EACCES":
      return "that port is not for every user; choose one above 1023 in discovery.listen_addresses"
    default:
      return messageOf(error)
  }
}
