import { randomUUID } from "node:crypto"
import { slotAt } from "../../src/domain/network/Chain.ts"
import type { Claim } from "../../src/domain/peer/Claim.ts"
import type { Outcome, Probe } from "../../src/domain/probe/Job.ts"

/** The network of the benchmarks: mainnet's clock. */
export const benchNetwork = {
  network: "bench",
  genesisTime: 1_606_824_023,
  genesisValidatorsRoot: new Uint8Array(32).fill(7),
  slotDurationMs: 12_000,
  slotsPerEpoch: 32,
  retentionEpochs: 4096
}

const slotsPerProbe = 32
export const columnsPerProbe = 8
export const combinationsPerProbe = slotsPerProbe * columnsPerProbe

export const peerIdOf = (peer: number): string => `16Uiu2HAm${peer.toString(36).padStart(44, "0")}`

export const agentOf = (peer: number): string => agents[peer % agents.length] ?? ""

const agents = [
  "Lighthouse/v8.0.1/x86_64-linux",
  "Prysm/v7.0.0/1f0e8e4",
  "teku/teku/v25.11.0/linux-x86_64",
  "nimbus",
  "Lodestar/v1.36.0",
  "Grandine/2.0.0",
  "Lighthouse/v8.0.0/aarch64-linux",
  "erigon/caplin"
]

/** Eight columns that look like chance and are the same every time. */
const columnsOf = (peer: number): ReadonlyArray<number> => {
  const columns = new Set<number>()
  for (let mixed = peer * 2654435761 + 12345; columns.size < columnsPerProbe; mixed = Math.imul(mixed, 48271) + 11) {
    columns.add((mixed >>> 16) & 127)
  }
  return [...columns].sort((a, b) => a - b)
}

export const claimOf = (peer: number, observedAt: number): Claim => ({
  custodyGroupCount: columnsPerProbe,
  source: "metadata",
  columns: columnsOf(peer),
  earliestAvailableSlot: 0,
  headSlot: slotAt(benchNetwork, observedAt),
  finalized: null,
  forkDigest: "0x01020304",
  sequenceNumber: 3,
  observedAt
})

/**
 * The `nth` probe of a peer, over 32 slots that it was not asked for before (until it was asked for all of 18 days).
 * `endedAt` and `newestAt` are Unix milliseconds: of this probe, and of the last one that will be made. One column in
 * a thousand or so is missing.
 */
export const probeOf = (peer: number, nth: number, endedAt: number, newestAt: number): Probe => {
  const end = Math.floor(slotAt(benchNetwork, newestAt) / slotsPerProbe)
  const newest = Math.floor(slotAt(benchNetwork, endedAt) / slotsPerProbe)
  const tile = end - 1 - ((peer * 977 + nth * 1811) % tilesInWindow)
  const startSlot = (tile < newest ? tile : tile - tilesInWindow) * slotsPerProbe
  const columns = columnsOf(peer)
  const outcomes: Array<Outcome> = []
  for (let slot = startSlot; slot < startSlot + slotsPerProbe; slot++) {
    const blockRoot = rootOf(slot)
    for (const column of columns) {
      const missing = (slot * 31 + column * 17 + peer) % 1009 === 0
      outcomes.push(
        missing
          ? {
              slot,
              column,
              outcome: "missing",
              reason: `column ${column} of slot ${slot} is missing`,
              blockRoot,
              blobs
            }
          : { slot, column, outcome: "success", blockRoot, blobs }
      )
    }
  }
  return {
    id: randomUUID(),
    purpose: "sampling",
    job: { peerId: peerIdOf(peer), startSlot, count: slotsPerProbe, columns },
    startedAt: endedAt - 850,
    finishedAt: endedAt,
    timings: { open: 40, firstByte: 120, total: 850 },
    requests: 1,
    bytes: 3_500_000 + (nth % 1000),
    outcomes,
    recovered: 0,
    findings: []
  }
}

const blobs = 6

const roots = new Map<number, string>()

const rootOf = (slot: number): string => {
  const known = roots.get(slot)
  if (known !== undefined) return known
  const root = `0x${slot.toString(16).padStart(64, "d")}`
  roots.set(slot, root)
  return root
}

/** 131,072 slots; a prime step over a power of two comes to each once. */
const tilesInWindow = 4096
