import { Duration, Effect, Option } from "effect"
import { type BookEntry, newEntry } from "../../../src/discovery/book/BookEntry.ts"
import { custodyColumns } from "../../../src/domain/column/Custody.ts"
import { clientFamily } from "../../../src/domain/peer/ClientFamily.ts"
import type { Claim } from "../../../src/domain/peer/Claim.ts"
import { makeAddressBackOff } from "../../../src/peers/set/AddressBackOff.ts"
import { candidatesOf } from "../../../src/peers/set/Candidates.ts"
import { choosePeers, type SetLimits } from "../../../src/peers/set/ChoosePeers.ts"
import { memberOf, outcomeOf } from "../../../src/peers/set/Members.ts"
import { makePrepare } from "../../../src/peers/set/Prepared.ts"
import { afterVisit, visitPace } from "../../../src/peers/set/Visit.ts"
import type { TrackedPeer } from "../../../src/peers/Peers.ts"

/** How a node of the simulated network is. */
export interface SimulatedNode {
  readonly peerId: string
  readonly nodeId: Uint8Array
  readonly groupCount: number
  readonly agent: string
  /** It is where it says. */
  readonly isReachable: boolean
  /** Hours of the day at which it has no room for us. */
  readonly fullHours: ReadonlyArray<number>
  /** Once it is probed something is suspected of it for so long, in milliseconds. */
  readonly suspectedMs: number
  readonly claim: Claim
}

/** As often as they are met. */
const agents = "Lighthouse/v8 Lighthouse/v8 Lighthouse/v8 Prysm/v6 Prysm/v6 teku/v25 teku/v25 nimbus lodestar/v1".split(
  " "
)

/** Nodes as they are on a large network: some two in three can be reached, one in twelve keeps everything. */
export const simulatedNodes = (count: number, random: () => number): ReadonlyArray<SimulatedNode> =>
  Array.from({ length: count }, (_, n) => {
    const size = random()
    const firstFull = Math.floor(random() * 24)
    const nodeId = Uint8Array.from({ length: 32 }, () => Math.floor(random() * 256))
    const groupCount = size < 0.7 ? 4 : size < 0.88 ? 8 : size < 0.92 ? 24 : 128
    return {
      peerId: `peer-${n}`,
      nodeId,
      groupCount,
      claim: claimOf(nodeId, groupCount),
      agent: agents[Math.floor(random() * agents.length)] ?? "other",
      isReachable: random() < 0.65,
      fullHours: random() < 0.1 ? Array.from({ length: 8 }, (_, hour) => (firstFull + hour) % 24) : [],
      suspectedMs: random() < 0.02 ? 15 * 60_000 : 0
    }
  })

interface Connection {
  readonly dialledAt: number
  readonly connectedAt: number | undefined
  isLeaving: boolean
}

/** A visit that is over. */
interface PastVisit {
  readonly peerId: string
  readonly from: number
  readonly to: number
  readonly wasSettled: boolean
}

/** The peer set over a network that does what its nodes are: one dial, handshake or probe a step. */
export const simulate = (nodes: ReadonlyArray<SimulatedNode>, limits: SetLimits, random: () => number) => {
  const byId = new Map(nodes.map((node) => [node.peerId, node]))
  const entries = new Map<string, BookEntry>(
    nodes.map((node, n) => {
      const address = {
        peerId: node.peerId,
        multiaddrs: [`/ip4/${20 + (n % 200)}.${(n >> 3) & 255}.${n & 255}.${n % 251}/tcp/9000`],
        enrCustodyGroupCount: Option.some(node.groupCount)
      }
      return [node.peerId, { ...newEntry({ address, source: "discv5" }, 0), nodeId: Option.some(node.nodeId) }]
    })
  )
  const connections = new Map<string, Connection>()
  const backOff = makeAddressBackOff()
  const prepare = makePrepare()
  const pace = visitPace(Duration.seconds(10))
  const visits: Array<PastVisit> = []
  const book = { entries: () => entries, hear: () => Effect.void, note: () => Effect.void }
  let dials = 0

  const note = (peerId: string, change: Partial<BookEntry>) => {
    const entry = entries.get(peerId)
    if (entry !== undefined) entries.set(peerId, { ...entry, ...change })
  }
  const tracked = (now: number): ReadonlyArray<TrackedPeer> =>
    [...connections].map(([peerId, { connectedAt, dialledAt }]) => {
      const node = nodeOf(byId, peerId)
      const isConnected = connectedAt !== undefined
      const isFull = isConnected === false && node.isReachable && dialledAt < now
      const probedFor = connectedAt === undefined ? 0 : now - connectedAt
      return {
        peerId,
        // One in ten is as bad as can be. One in five can be relied on, and has a place for as long as it is one of the best.
        score: node.peerId.endsWith("7") || node.peerId.endsWith("3") ? 0.97 : node.peerId.endsWith("1") ? 0.02 : 0.5,
        scoredAt: now,
        isConfigured: false,
        isConnected,
        connectedSince: Option.fromNullable(connectedAt),
        isDialable: true,
        failedVisits: dialledAt < now && !isConnected ? 1 : 0,
        notDialled: 0,
        leftAloneUntil: isFull ? now + 600_000 : 0,
        refusal: isFull ? Option.some("too_many_peers" as const) : Option.none(),
        isSettled: probedFor === 0 || probedFor > node.suspectedMs,
        isCounted: false,
        agent: isConnected ? Option.some(node.agent) : Option.none(),
        remoteAddress: Option.none(),
        claim: isConnected ? Option.some(node.claim) : Option.none(),
        lastProbeAt: probedFor > 0 ? Option.some(now) : Option.flatMap(entryOf(peerId), ({ auditedAt }) => auditedAt)
      }
    })
  const entryOf = (peerId: string) => Option.fromNullable(entries.get(peerId))

  const end = (peer: TrackedPeer, now: number) => {
    const connection = connections.get(peer.peerId)
    const entry = entries.get(peer.peerId)
    if (connection === undefined || entry === undefined) return
    const outcome = outcomeOf(peer, connection.dialledAt, now)
    if (connection.connectedAt !== undefined) {
      const { isSettled: wasSettled, peerId } = peer
      visits.push({ peerId, from: connection.connectedAt, to: now, wasSettled })
    }
    note(peer.peerId, afterVisit(entry, outcome, now, random()))
    connections.delete(peer.peerId)
  }

  return {
    visits,
    entries,
    dials: () => dials,
    connected: () =>
      [...connections].flatMap(([peerId, { connectedAt, isLeaving }]) => {
        const node = nodeOf(byId, peerId)
        const { columns } = node.claim
        return connectedAt === undefined || isLeaving
          ? []
          : [{ peerId, columns, groupCount: node.groupCount, family: clientFamily(node.agent) }]
      }),
    step: (now: number): void => {
      for (const [peerId, connection] of connections) {
        const { fullHours, isReachable } = nodeOf(byId, peerId)
        const isFull = fullHours.includes(Math.floor(now / 3_600_000) % 24)
        if (connection.connectedAt !== undefined || !isReachable || isFull) continue
        connections.set(peerId, { ...connection, connectedAt: now })
      }
      for (const peer of tracked(now)) {
        if (!peer.isConnected) continue
        note(peer.peerId, {
          reachedAt: Option.some(now),
          auditedAt: peer.lastProbeAt,
          score: { value: peer.score, at: peer.scoredAt },
          agent: peer.agent,
          claim: Option.map(peer.claim, ({ custodyGroupCount }) => ({
            groupCount: custodyGroupCount,
            earliestAvailableSlot: null
          }))
        })
      }
      for (const peer of tracked(now)) {
        const connection = connections.get(peer.peerId)
        const isOver = outcomeOf(peer, connection?.dialledAt ?? now, now).isOver
        if ((connection?.isLeaving === true || isOver) && peer.isSettled) end(peer, now)
      }
      const members = tracked(now).map((peer) => {
        const connection = connections.get(peer.peerId)
        const chosen = connection && { since: connection.dialledAt, isLeaving: connection.isLeaving }
        return memberOf(peer, chosen, book, prepare, pace, now)
      })
      const isTracked = (peerId: string) => connections.has(peerId)
      const candidates = candidatesOf(entries.values(), { now, allows: () => true, backOff, prepare, isTracked })
      const choice = choosePeers(members, candidates, limits)
      for (const peer of tracked(now)) {
        const connection = connections.get(peer.peerId)
        if (connection === undefined || !choice.rest.includes(peer.peerId)) continue
        if (peer.isSettled) end(peer, now)
        else connection.isLeaving = true
      }
      for (const peerId of choice.dial) {
        dials++
        connections.set(peerId, { dialledAt: now, connectedAt: undefined, isLeaving: false })
        note(peerId, { triedAt: Option.some(now) })
      }
    }
  }
}

export type SimulatedNetwork = ReturnType<typeof simulate>

const nodeOf = (nodes: ReadonlyMap<string, SimulatedNode>, peerId: string): SimulatedNode => {
  const node = nodes.get(peerId)
  if (node === undefined) throw new Error(`${peerId} is no node of the network`)
  return node
}

const claimOf = (nodeId: Uint8Array, groupCount: number): Claim => ({
  custodyGroupCount: groupCount,
  source: "metadata",
  columns: custodyColumns(nodeId, groupCount),
  earliestAvailableSlot: null,
  headSlot: 1,
  finalized: null,
  forkDigest: "0x",
  sequenceNumber: 1,
  observedAt: 0
})
