import type { HostNode } from "../../../src/host/libp2p/Libp2pHost.ts"
import { makeNode, type Node } from "../../../src/wire/Node.ts"

export const stranger = makeNode({ agent: "stranger/0.1" })

/** What a host uses of a node, as an object that a test may change. */
export const partsOf = (node: Node): HostNode => ({
  peerId: node.peerId,
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
