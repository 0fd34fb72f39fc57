import type { MultiaddrConnection } from "@libp2p/interface"
import { makeBuckets, type Rate } from "../domain/Bucket.ts"
import { addressGroup } from "./AddressGroup.ts"

export interface InboundLimits {
  /** Connections that are being set up, of one address (`addressGroup`). */
  readonly pendingPerAddress: number
  /** The same of all addresses; libp2p's own limit, which turns newcomers away, must be well above it. */
  readonly pending: number
  /** Connections that have been set up: the rest of what a node can have is for those that it dials. */
  readonly settled: number
  /** The same of one address. */
  readonly perAddress: number
  /** The same of one identity. */
  readonly perIdentity: number
  /** How fast those of one address may come: setting up each costs, and so does everything that is asked of it. */
  readonly pacePerAddress: Rate
}

/** What is used of a connection. */
export interface InboundConnection extends Pick<MultiaddrConnection, "remoteAddr" | "status" | "timeline" | "abort"> {
  readonly addEventListener: (type: "close", listener: () => void, options: { readonly once: true }) => void
}

/** The parts of libp2p's `ConnectionGater` that are about who comes to us; `true` closes the connection. */
export interface InboundGate {
  readonly denyInboundConnection: (connection: InboundConnection) => boolean
  readonly denyInboundUpgradedConnection: (
    peerId: { readonly toString: () => string },
    connection: InboundConnection
  ) => boolean
}

/**
 * Bounds what strangers may take of the connections that come to us, by their address and identity: sockets that say
 * nothing, and thousands of identities at one address, leave room for everyone else. Whoever comes is preferred to what
 * has been silent for long. Connections that we dial do not count.
 *
 * libp2p (3.3) first counts a connection in its own limits, then asks `denyInboundConnection`, then encrypts and
 * multiplexes it, and asks `denyInboundUpgradedConnection` with the same object at last. What is closed meanwhile, by
 * anyone, has a `close` event.
 */
export const inboundGate = (limits: InboundLimits): InboundGate => {
  const pending = makeGroups()
  const settled = makeGroups()
  const identities = makeGroups()
  const paceOf = makeBuckets<string>(limits.pacePerAddress, mostPaces)
  const isTooFast = (address: string): boolean => {
    const now = Date.now()
    const pace = paceOf(address)
    if (pace.room(now) < 1) return true
    pace.take(1, now)
    return false
  }
  const isFull = (address: string): boolean =>
    settled.count() >= limits.settled || settled.of(address).size >= limits.perAddress

  return {
    denyInboundConnection: (connection) => {
      if (connection.status !== "open") return true
      const address = addressGroup(connection.remoteAddr)
      if (isFull(address)) return true
      const own = pending.of(address)
      if (own.size >= limits.pendingPerAddress && !giveUpOldest(own, stallingMs)) return true
      // Many addresses together: those that have the most of them give way.
      if (pending.count() >= limits.pending && !giveUpOldest(pending.largest(), 0)) return true
      pending.add(address, connection)
      connection.addEventListener("close", () => pending.remove(address, connection), { once: true })
      return false
    },
    denyInboundUpgradedConnection: (peerId, connection) => {
      const address = addressGroup(connection.remoteAddr)
      pending.remove(address, connection)
      if (connection.status !== "open" || isFull(address) || isTooFast(address)) return true
      const identity = peerId.toString()
      // Its older ones may be dead without our knowledge: the newest is the one that it uses.
      if (identities.of(identity).size >= limits.perIdentity) giveUpOldest(identities.of(identity), 0)
      settled.add(address, connection)
      identities.add(identity, connection)
      connection.addEventListener(
        "close",
        () => {
          settled.remove(address, connection)
          identities.remove(identity, connection)
        },
        { once: true }
      )
      return false
    }
  }
}

/** Addresses whose pace is remembered. */
const mostPaces = 4096

/** A connection that has not been set up for so long is stalling. */
const stallingMs = 2000

/** Closes the one that came first, if it came so long ago; its `close` event takes it out. */
const giveUpOldest = (connections: ReadonlySet<InboundConnection>, afterMs: number): boolean => {
  const [oldest] = connections
  if (oldest === undefined || Date.now() - oldest.timeline.open < afterMs) return false
  oldest.abort(new Error("it gives way to a connection that came later"))
  return true
}

/** Connections by whom they belong to, each group in the order of coming. */
const makeGroups = () => {
  const groups = new Map<string, Set<InboundConnection>>()
  let count = 0
  return {
    count: () => count,
    of: (key: string): ReadonlySet<InboundConnection> => groups.get(key) ?? none,
    largest: (): ReadonlySet<InboundConnection> => {
      let largest = none
      for (const group of groups.values()) if (group.size > largest.size) largest = group
      return largest
    },
    add: (key: string, connection: InboundConnection): void => {
      groups.set(key, (groups.get(key) ?? new Set<InboundConnection>()).add(connection))
      count++
    },
    remove: (key: string, connection: InboundConnection): void => {
      const group = groups.get(key)
      if (group === undefined || !group.delete(connection)) return
      count--
      if (group.size === 0) groups.delete(key)
    }
  }
}

const none: ReadonlySet<InboundConnection> = new Set()
