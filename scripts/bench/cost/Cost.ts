import { Duration, Effect, Either } from "effect"
import { makeConfig } from "../../../src/config/DecodeConfig.ts"
import { type Bench, rounded } from "../Bench.ts"
import { type Measured, measured } from "./Measured.ts"

/** Of mainnet. */
const mainnet = {
  slotsPerDay: 7_200,
  /** In which columns are owed. */
  days: 4_096 * (32 / 7_200),
  columns: 128,
  /** A block that is at the target of its blob schedule. */
  blobs: 14,
  /** Of the peers; they hold all columns. */
  supernodes: 0.1
}

/** SSZ of a sidecar: index, offsets, signed header, inclusion proof; of each blob a cell, a commitment and a proof. */
const columnBytes = 8 + 3 * 4 + 208 + 4 * 32 + mainnet.blobs * (2_048 + 48 + 48)

const defaults = Either.getOrThrow(makeConfig({}))
/** `target_peers` takes no more; of further peers all are known, and they take turns. */
const mostConnected = 1_500
/** The default, and what the README recommends for many. */
const refreshSeconds = (connected: number): number =>
  connected <= 100 ? Duration.toSeconds(defaults.peerRefreshInterval) : 60
/** Supernodes are asked for four times as much: `sampling.daily_bytes` says so. */
const supernodeShare = 4

/** Columns of the newest blocks, a day: one of each sample of `sampling.samples_per_slot`, and those of our own topics. */
const sampled = defaults.sampling.samplesPerSlot * mainnet.slotsPerDay
const gossiped = defaults.gossip.custodyGroupCount * mainnet.slotsPerDay
/** A full mesh (`D`). */
const neighbours = 8

interface Cost {
  readonly peers: number
  readonly cores: number
  readonly memoryMiB: number
  readonly diskGB: number
  readonly receivedGBPerDay: number
}

/** What it costs to watch so many peers of mainnet: the defaults, but for `target_peers` and what is said of many. */
const costOf = (peers: number, parts: Measured): Cost => {
  const connected = Math.min(peers, mostConnected)
  const dailyBytes = defaults.sampling.dailyBytes * (1 + (supernodeShare - 1) * mainnet.supernodes)
  const received = Math.min(connected * dailyBytes, defaults.bandwidthLimit * 86_400)
  // The samples are among the columns that these bytes are; gossip comes beside them.
  const columns = received / columnBytes
  const first = firstLooks(columns)
  const busyMs =
    first * firstLookMs(parts) +
    (columns + gossiped - first) * parts.knownColumnMs +
    sampled * questionMs(parts) +
    gossiped * parts.gossipColumnMs +
    connected * parts.claimMs * (86_400 / refreshSeconds(connected))
  return {
    peers,
    cores: busyMs / 86_400_000,
    memoryMiB:
      parts.hundredMiB +
      ((connected - 100) * (parts.thousandMiB - parts.hundredMiB)) / 900 +
      ((peers - connected) * parts.knownKiB) / 1_024,
    diskGB:
      (mainnet.days * (columns * parts.combinationBytes + mainnet.slotsPerDay * parts.slotBytes)) / 1e9 +
      samplingOf(parts).diskGB +
      gossipOf(parts).diskGB,
    receivedGBPerDay: (received + gossiped * columnBytes) / 1e9
  }
}

/**
 * Columns of a day that nobody has shown us before, once 18 days have passed: all samples and what gossip brings, which are of
 * new blocks; and of all other columns of these days, each of which is asked for x times at random moments of them, those
 * that are shown at least once, with the chance 1 - exp(-x).
 */
const firstLooks = (columnsPerDay: number): number => {
  const all = mainnet.slotsPerDay * mainnet.columns
  return sampled + gossiped + (all - sampled - gossiped) * (1 - Math.exp(-(columnsPerDay - sampled) / all))
}

const firstLookMs = (parts: Measured): number => parts.columnMs + mainnet.blobs * parts.cellMs
/** A claim is two requests (Status and MetaData), and a sample is one. */
const questionMs = (parts: Measured): number => parts.claimMs / 2

/** What is in the table above for the newest blocks alone. */
interface Part extends Omit<Cost, "memoryMiB" | "peers"> {
  readonly part: string
  readonly remark: string
}

const samplingOf = (parts: Measured): Part => ({
  part: `${defaults.sampling.samplesPerSlot} samples a slot`,
  cores: (sampled * (questionMs(parts) + firstLookMs(parts))) / 86_400_000,
  diskGB: (mainnet.days * mainnet.slotsPerDay * parts.availabilityBytes) / 1e9,
  receivedGBPerDay: (sampled * columnBytes) / 1e9,
  remark: "within `daily_bytes`"
})

const gossipOf = (parts: Measured): Part => ({
  part: `gossip of our own ${defaults.gossip.custodyGroupCount} columns`,
  cores: (gossiped * (parts.gossipColumnMs + firstLookMs(parts))) / 86_400_000,
  diskGB: (mainnet.days * gossiped * parts.arrivalBytes) / 1e9,
  receivedGBPerDay: (gossiped * columnBytes) / 1e9,
  remark: `${rounded((neighbours * gossiped * columnBytes) / 1e9, 1)} GB if all ${neighbours} neighbours send their copy`
})

const watched = [100, 1_000, 10_000].map((peers) => costOf(peers, measured))

const columnNames = ["peers", "CPU", "memory", "disk", "received"]

/** The lines of the README's table. */
export const costLines: ReadonlyArray<string> = [columnNames, ...watched.map(cellsOf)].map((cells) => cells.join(" | "))

const beside = [samplingOf(measured), gossipOf(measured)]

const partNames = ["of it", "CPU", "disk", "received"]

/** The lines of the README's table of what the newest blocks cost. */
export const partLines: ReadonlyArray<string> = [partNames, ...beside.map(partCells)].map((cells) => cells.join(" | "))

function partCells({ cores, diskGB, part, receivedGBPerDay, remark }: Part): ReadonlyArray<string> {
  return [
    part,
    `${rounded(cores, 3)} of a core`,
    `${rounded(diskGB, 2)} GB`,
    `${rounded(receivedGBPerDay, 1)} GB a day; ${remark}`
  ]
}

function cellsOf({ cores, diskGB, memoryMiB, peers, receivedGBPerDay }: Cost): ReadonlyArray<string> {
  return [
    peers.toLocaleString("en"),
    `${rounded(cores)} of a core`,
    memoryMiB < 1_024 ? `${rounded(memoryMiB / 10, 0) * 10} MiB` : `${rounded(memoryMiB / 1_024, 1)} GiB`,
    `${rounded(diskGB, 1)} GB`,
    `${rounded(receivedGBPerDay, 0)} GB a day, ${rounded((receivedGBPerDay * 8_000) / 86_400, 1)} Mbit/s`
  ]
}

/** Computes and measures nothing: the parts are in `Measured.ts`, each with the benchmark that gives it. */
export const cost: Bench = {
  name: "cost",
  description: "what it costs to watch mainnet, computed from parts that were measured",
  run: () =>
    Effect.succeed([
      {
        title: `${mainnet.blobs} blobs a block, ${columnBytes} bytes a column, one peer in ten a supernode`,
        columns: columnNames,
        rows: watched.map(cellsOf),
        summary: { cost: watched, newest: beside, parts: measured }
      },
      {
        title: "of it, for the newest blocks",
        columns: partNames,
        rows: beside.map(partCells)
      }
    ])
}
