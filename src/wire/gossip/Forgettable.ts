import type { GossipSub } from "@libp2p/gossipsub"

/**
 * Has gossipsub forget that it saw a message, so that the next copy of it is judged, from whomever it comes: else whoever is
 * not listened to needs but be the first to send what is right, and nobody else's copy of it is looked at. By its id in hex.
 */
export const forget = (gossip: GossipSub, id: string): void => {
  const entries: unknown = Reflect.get(partOf(gossip, "seenCache"), "entries")
  if (entries instanceof Map) entries.delete(id)
}

/** A message that was forgotten is not known by its compressed bytes either. */
export const forgettable = (gossip: GossipSub): GossipSub => {
  const fast = partOf(gossip, "fastMsgIdCache")
  const entries: unknown = Reflect.get(partOf(gossip, "seenCache"), "entries")
  const get: unknown = Reflect.get(fast, "get")
  if (!(entries instanceof Map) || typeof get !== "function") return unknownVersion()
  Reflect.set(fast, "get", (compressed: unknown): unknown => {
    const id: unknown = Reflect.apply(get, fast, [compressed])
    return entries.has(id) ? id : undefined
  })
  return gossip
}

const partOf = (gossip: GossipSub, name: string): object => {
  const part: unknown = Reflect.get(gossip, name)
  return part instanceof Object ? part : unknownVersion()
}

const unknownVersion = (): never => {
  throw new TypeError("this version of @libp2p/gossipsub has other parts (Forgettable.ts)")
}
