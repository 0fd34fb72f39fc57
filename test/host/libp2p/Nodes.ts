import { createServer, type Socket } from "node:net"
import { generateKeyPair } from "@libp2p/crypto/keys"
import { peerIdFromPrivateKey } from "@libp2p/peer-id"
import { Effect, Option } from "effect"
import type { PeerAddress } from "../../../src/domain/peer/PeerAddress.ts"
import type { Transport } from "../../../src/domain/peer/Transport.ts"
import type { HostNode } from "../../../src/host/libp2p/Libp2pHost.ts"
import { makeNode, type Node } from "../../../src/wire/Node.ts"

export const transports = ["tcp", "quic"] as const

/** Where a node listens that is on one transport alone. */
export const listenOn = (transport: Transport): ReadonlyArray<string> => [
  transport === "quic" ? "/ip4/127.0.0.1/udp/0/quic-v1" : "/ip4/127.0.0.1/tcp/0"
]

export const strangerOn = (transport: Transport) => makeNode({ agent: "stranger/0.1", listen: listenOn(transport) })
export const stranger = strangerOn("tcp")

export const addressOf = (node: Pick<Node, "peerId" | "getMultiaddrs">): PeerAddress => ({
  peerId: node.peerId.toString(),
  multiaddrs: node.getMultiaddrs().map((address) => address.decapsulate("/p2p").toString()),
  enrCustodyGroupCount: Option.none()
})

/** A peer that is nowhere, and its alleged address. */
export const strangerAt = (multiaddr: string): Effect.Effect<PeerAddress> =>
  Effect.map(
    Effect.promise(() => generateKeyPair("Ed25519")),
    (key) => ({
      peerId: peerIdFromPrivateKey(key).toString(),
      multiaddrs: [multiaddr],
      enrCustodyGroupCount: Option.none()
    })
  )

/** What a host uses of a node, as an object that a test may change. */
export const partsOf = (node: Node): HostNode => ({
  peerId: node.peerId,
  status: node.status,
  peerStore: node.peerStore,
  getMultiaddrs: () => node.getMultiaddrs(),
  getConnections: (peerId) => node.getConnections(peerId),
  dial: (peer, options) => node.dial(peer, options),
  hangUp: (peer, options) => node.hangUp(peer, options),
  handle: (protocol, handler, options) => node.handle(protocol, handler, options),
  unhandle: (protocols, options) => node.unhandle(protocols, options),
  addEventListener: node.addEventListener.bind(node),
  removeEventListener: node.removeEventListener.bind(node)
})

/** A port of this machine that takes connections, says nothing, and lets them go after a while. */
export const silentAddress = (patienceMs: number) =>
  Effect.gen(function* () {
    const sockets = new Set<Socket>()
    let seen = 0
    let most = 0
    const server = createServer((socket) => {
      seen++
      sockets.add(socket)
      socket.resume()
      most = Math.max(most, sockets.size)
      const timer = setTimeout(() => socket.destroy(), patienceMs)
      socket.on("error", () => socket.destroy())
      socket.on("close", () => {
        clearTimeout(timer)
        sockets.delete(socket)
      })
    })
    const port = yield* Effect.acquireRelease(
      Effect.async<number>((resume) => {
        server.listen(0, "127.0.0.1", () => {
          const address = server.address()
          resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0))
        })
      }),
      () =>
        Effect.sync(() => {
          for (const socket of sockets) socket.destroy()
          server.close()
        })
    )
    /** Connections that it had in all, and at once. */
    return { multiaddr: `/ip4/127.0.0.1/tcp/${port}`, seen: () => seen, most: () => most }
  })
