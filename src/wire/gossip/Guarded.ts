import type { GossipSub } from "@libp2p/gossipsub"
import type { GossipRules } from "./GossipRules.ts"

/**
 * Closes four holes of `@libp2p/gossipsub` (17.1), in its parts that its type does not show:
 *
 * - It forgets a peer when one of its streams cannot be read, or when it leaves, and then still reads what another stream
 *   brings: subscriptions of nobody, 640 KiB for each identity, which are kept for ever. Such messages are dropped.
 * - It opens its own streams one after the other, and queues one each time a peer opens a stream to it: a peer that does not
 *   answer holds up all others, and one that opens streams without end fills the queue. Each peer has an opening of its
 *   own, and one at a time.
 * - It keeps for how long a peer that prunes us does not want us back, which may be thousands of years, of every identity
 *   and topic. An hour is respected: others say a minute.
 * - It aborts its stream to a peer that takes in more slowly than we send, at `mostWaiting` bytes, and never opens another:
 *   until one of them leaves, the peer hears nothing of us. Messages that there is no room for are not sent to it.
 *
 * A peer that sends more messages than it may (`admits`) is heard of no more than that.
 *
 * And it tells of further copies of a message, which it drops without asking anybody: `copied` is told the id of each.
 */
export const guarded = (
  gossip: GossipSub,
  { admits, copied, mostWaiting }: Pick<GossipRules, "admits" | "copied"> & { readonly mostWaiting: number }
): GossipSub => {
  const peers: unknown = Reflect.get(gossip, "peers")
  const receive: unknown = Reflect.get(gossip, "handleReceivedRpc")
  const open: unknown = Reflect.get(gossip, "createOutboundStream")
  const backOff: unknown = Reflect.get(gossip, "doAddBackoff")
  const send: unknown = Reflect.get(gossip, "sendRpc")
  const streams: unknown = Reflect.get(gossip, "streamsOutbound")
  const score: unknown = Reflect.get(gossip, "score")
  const duplicate: unknown =
    typeof score === "object" && score !== null ? Reflect.get(score, "duplicateMessage") : score
  const isKnown = typeof receive === "function" && typeof open === "function" && typeof backOff === "function"
  const canSend = typeof send === "function" && streams instanceof Map
  if (
    !(peers instanceof Map) ||
    !isKnown ||
    !canSend ||
    !(score instanceof Object) ||
    typeof duplicate !== "function"
  ) {
    throw new TypeError(
      "this version of @libp2p/gossipsub has other parts than the one that dasmon guards (Guarded.ts)"
    )
  }
  /** Peers to whom a stream is being opened, with the connection on which it is to be. */
  const opening = new Map<string, unknown>()
  const openInTurn = async (peerId: unknown, connection: unknown): Promise<void> => {
    const id = String(peerId)
    const isUnderWay = opening.has(id)
    opening.set(id, connection)
    if (isUnderWay) return
    try {
      for (let tried: unknown; tried !== opening.get(id);) {
        tried = opening.get(id)
        await Reflect.apply(open, gossip, [peerId, tried])
      }
    } finally {
      opening.delete(id)
    }
  }
  const replaced =
    Reflect.set(score, "duplicateMessage", (from: unknown, id: unknown, topic: unknown): void => {
      Reflect.apply(duplicate, score, [from, id, topic])
      copied(String(topic), String(id))
    }) &&
    Reflect.set(gossip, "doAddBackoff", (id: unknown, topic: unknown, ms: unknown): void => {
      Reflect.apply(backOff, gossip, [id, topic, Math.min(Number(ms), longestBackOffMs)])
    }) &&
    Reflect.set(gossip, "sendRpc", (id: unknown, rpc: unknown): unknown => {
      const bytes = messageBytes(rpc)
      const hasRoom = bytes === 0 || waitingBytes(streams.get(id)) + bytes <= mostWaiting - spareBytes
      return hasRoom && Reflect.apply(send, gossip, [id, rpc])
    }) &&
    Reflect.set(gossip, "handleReceivedRpc", async (from: unknown, rpc: unknown): Promise<void> => {
      if (!peers.has(String(from))) return
      if (admits !== undefined) trim(rpc, (messages) => admits(String(from), messages))
      await Reflect.apply(receive, gossip, [from, rpc])
    }) &&
    Reflect.set(gossip, "createOutboundStream", async (peerId: unknown, connection: unknown): Promise<void> => {
      // Nobody waits for it: whoever comes next in the queue is not held up. It tells its own failures.
      void openInTurn(peerId, connection).catch(() => {})
    })
  if (!replaced) throw new TypeError("@libp2p/gossipsub cannot be guarded")
  return gossip
}

/** Leaves of an RPC's messages the first ones, as many as are admitted. */
const trim = (rpc: unknown, admits: (messages: number) => number): void => {
  const messages: unknown = rpc instanceof Object ? Reflect.get(rpc, "messages") : undefined
  if (Array.isArray(messages) && messages.length > 0) messages.length = admits(messages.length)
}

/** Of the messages that an RPC carries. */
const messageBytes = (rpc: unknown): number => {
  const messages: unknown = rpc instanceof Object ? Reflect.get(rpc, "messages") : undefined
  if (!Array.isArray(messages)) return 0
  return messages.reduce((sum: number, message: unknown) => {
    const data: unknown = message instanceof Object ? Reflect.get(message, "data") : undefined
    return sum + (data instanceof Uint8Array ? data.length : 0)
  }, 0)
}

/** What was given to one of its streams and has not gone out. */
const waitingBytes = (stream: unknown): number => {
  const raw: unknown = stream instanceof Object ? Reflect.get(stream, "rawStream") : undefined
  return raw instanceof Object ? Number(Reflect.get(raw, "writeBufferLength")) : 0
}

/** For subscriptions, and what else of control goes along with messages and without them. */
const spareBytes = 2 ** 18
const longestBackOffMs = 3_600_000
