import { Array as Arr, Context, Effect, Layer, Option } from "effect"
import { holdingsState } from "../../domain/availability/Holdings.ts"
import { columnsOf, hasColumn, maskBytes } from "../../domain/column/ColumnMask.ts"
import { dayName, dayOf } from "../../domain/Day.ts"
import { columnsToReconstruct, numberOfColumns } from "../../domain/network/Chain.ts"
import type { Probe } from "../../domain/probe/Job.ts"
import { addOutcomes, countOutcomes, noOutcomes } from "../../domain/probe/Outcome.ts"
import {
  type Availability,
  type AvailabilityOptions,
  type ComplianceRow,
  defaultLimit,
  type Extent,
  type FailuresOptions,
  type FailureView,
  type PeerOptions,
  type PeerRecord,
  type PeerRecordOptions,
  type ProbePage,
  type ProbesOptions,
  type ProbeSummary,
  type SlotHoldings,
  type SlotOptions,
  type SlotsOptions,
  type SlotsPage
} from "../../domain/report/Question.ts"
import { chunkOf, slotsPerChunk, testedAt } from "../store/CoverageChunk.ts"
import { History } from "../store/History.ts"
import { failingOf, type HistoryMemory, makeMemoryHistory } from "../store/MemoryHistory.ts"
import { failureRowsOf } from "../store/sqlite/FailureRows.ts"
import { arrivalsIn, slotArrivalsIn } from "./MemoryArrivalReports.ts"
import { availabilitySummary, defaultBlocks, usualSlotMs } from "./ReportAvailability.ts"
import { ReportError, Reports } from "./Reports.ts"
import { countedOf } from "./ReportRows.ts"
import { defaultSlots, newFound, rowOf } from "./ReportSlots.ts"

/**
 * A history in memory, and the answers about it: of single peers, slots and probes, as far back as probes are kept. It
 * keeps no sums over clients, columns or days of all peers, and says so when it is asked for them.
 */
export const layer: Layer.Layer<History | Reports> = Layer.effectContext(
  Effect.sync(() => {
    const { history, memory } = makeMemoryHistory()
    return Context.make(History, history).pipe(Context.add(Reports, answersOf(memory)))
  })
)

const answersOf = (memory: HistoryMemory): Reports["Type"] => ({
  compliance: () => notKept,
  worst: () => notKept,
  untested: () => notKept,
  slot: (options) => Effect.sync(() => slot(memory, options)),
  probes: (options) => Effect.sync(() => probes(memory, options)),
  failures: (options) => Effect.sync(() => failures(memory, options)),
  peer: (options) => Effect.sync(() => peer(memory, options)),
  claims: ({ limit = defaultLimit, peerId }) => Effect.sync(() => memory.peers.get(peerId)?.claims.slice(-limit) ?? []),
  peerDays: (options) => Effect.sync(() => peerDays(memory, options)),
  arrivals: (options) => Effect.sync(() => arrivalsIn(memory.arrivals, options)),
  slotArrivals: ({ slot }) => Effect.sync(() => slotArrivalsIn(memory.arrivals, slot)),
  slots: (options) => Effect.sync(() => slots(memory, options)),
  availability: (options) => Effect.sync(() => availability(memory, options)),
  extent: Effect.sync(() => extent(memory))
})

const notKept = new ReportError({ fault: "unreadable", reason: "a history in memory is not summed up over all peers" })

const slot = (
  { availability, orphans, peers, probes }: HistoryMemory,
  { limit = 10, slot }: typeof SlotOptions.Type
): typeof SlotHoldings.Type => {
  const tested = [...peers].flatMap(([peerId, { coverage }]) => {
    const chunk = coverage.get(chunkOf(slot))
    return chunk === undefined || testedAt(chunk, slot) <= orphans.voidUntil(slot) ? [] : [{ peerId, chunk }]
  })
  const at = (slot % slotsPerChunk) * maskBytes
  const columns = Array.from({ length: numberOfColumns }, (_, column) => {
    const holders = tested.filter(({ chunk }) => hasColumn(chunk.succeeded, at, column))
    return {
      column,
      peers: holders.length,
      failed: tested.filter(({ chunk }) => hasColumn(chunk.failed, at, column)).length,
      holder: holders[0]?.peerId,
      peerIds: holders.slice(0, limit).map(({ peerId }) => peerId)
    }
  })
  const holders = tested.filter(({ chunk }) => columnsOf(chunk.succeeded.subarray(at, at + maskBytes)).length > 0)
  const blocks = new Map<string, number>()
  for (const { outcomes } of probes.values()) {
    for (const outcome of outcomes) {
      if (outcome.slot !== slot) continue
      blocks.set(outcome.blockRoot, Math.max(outcome.blobs, blocks.get(outcome.blockRoot) ?? 0))
    }
  }
  const held = columns.filter(({ peers }) => peers > 0).length
  return {
    slot,
    blocks: [...blocks].map(([root, blobs]) => ({ root, blobs, orphaned: orphans.isOrphan(slot, root, -Infinity) })),
    columns: columns.map(({ column, failed, peerIds, peers }) => ({ column, peers, failed, peerIds })),
    held,
    reconstructable: held >= columnsToReconstruct,
    ...holdingsState(columns),
    holders: holders.length,
    sampled: [...availability.values()].map(({ verdict }) => verdict).filter((verdict) => verdict.slot === slot)
  }
}

/** Slot by slot, newest first, as far as anything is known. */
const slots = (
  { availability, orphans, peers }: HistoryMemory,
  { before = Infinity, limit = defaultSlots }: typeof SlotsOptions.Type
): typeof SlotsPage.Type => {
  const found = new Map<number, ReturnType<typeof newFound>>()
  for (const [peerId, { coverage }] of peers) {
    for (const [number, chunk] of coverage) {
      for (let index = 0; index < slotsPerChunk; index++) {
        const slot = number * slotsPerChunk + index
        if (slot >= before || testedAt(chunk, slot) <= orphans.voidUntil(slot)) continue
        const at = index * maskBytes
        for (let column = 0; column < numberOfColumns; column++) {
          const [has, failed] = [hasColumn(chunk.succeeded, at, column), hasColumn(chunk.failed, at, column)]
          if (!has && !failed) continue
          const about = found.get(slot) ?? newFound()
          found.set(slot, about)
          const entry = about.columns[column]
          if (entry === undefined) continue
          if (failed) entry.failed++
          if (!has) continue
          entry.peers++
          entry.holder = peerId
          about.holders.add(peerId)
        }
      }
    }
  }
  const verdicts = new Map(
    Array.from(availability.values(), ({ verdict }) => [verdict.slot, verdict.verdict] as const).filter(
      ([slot]) => slot < before
    )
  )
  const rows = [...new Set([...found.keys(), ...verdicts.keys()])]
    .sort((a, b) => b - a)
    .map((slot) => rowOf(slot, found.get(slot) ?? newFound(), verdicts.get(slot) ?? null))
  const page = rows.slice(0, limit)
  return { rows: page, next: rows.length > limit ? (page.at(-1)?.slot ?? null) : null }
}

const availability = (
  memory: HistoryMemory,
  { before = Infinity, limit = defaultBlocks, since = 0, slotDurationMs = usualSlotMs }: typeof AvailabilityOptions.Type
): typeof Availability.Type => {
  const all = [...memory.availability.values()].filter(({ verdict }) => verdict.decidedAt >= since)
  const found = all.filter(({ id }) => id < before).reverse()
  const page = found.slice(0, limit)
  return {
    ...availabilitySummary(
      all.map(({ verdict }) => verdict),
      slotDurationMs
    ),
    slots: page.map(({ verdict }) => verdict),
    next: found.length > limit ? (page.at(-1)?.id ?? null) : null
  }
}

/** A page goes on at the number of its last probe, counted from the first that was ever recorded. */
const probes = (memory: HistoryMemory, options: typeof ProbesOptions.Type): typeof ProbePage.Type => {
  const { before = Infinity, column, limit = 100, outcome, peerId, slot } = options
  const anything = outcome === undefined && slot === undefined && column === undefined
  const forgotten = memory.totals.probes - memory.probes.size
  const found = [...memory.probes.values()]
    .map((probe, index) => ({ probe, number: forgotten + index + 1 }))
    .reverse()
    .filter(
      ({ number, probe: { job, outcomes } }) =>
        number < before &&
        (peerId === undefined || job.peerId === peerId) &&
        (anything ||
          outcomes.some(
            (one) =>
              (outcome === undefined || one.outcome === outcome) &&
              (slot === undefined || one.slot === slot) &&
              (column === undefined || one.column === column)
          ))
    )
  const page = found.slice(0, limit)
  return {
    probes: page.map(({ probe }) => summaryOf(probe)),
    next: found.length > limit ? (page.at(-1)?.number ?? null) : null
  }
}

const summaryOf = (probe: Probe): ProbeSummary => ({
  id: probe.id,
  purpose: probe.purpose,
  job: probe.job,
  startedAt: probe.startedAt,
  finishedAt: probe.finishedAt,
  timings: probe.timings,
  requests: probe.requests,
  bytes: probe.bytes,
  recovered: probe.recovered,
  outcomes: countOutcomes(probe.outcomes)
})

const failures = (
  memory: HistoryMemory,
  { limit = defaultLimit, peerId }: typeof FailuresOptions.Type
): ReadonlyArray<FailureView> =>
  probesOf(memory, peerId)
    .reverse()
    .flatMap((probe) => {
      const rows = failureRowsOf(probe)
      const counts = countOutcomes(probe.outcomes)
      return rows.map((row) => {
        const own = rows.filter(({ outcome, slot }) => outcome === row.outcome && slot !== null).length
        const combinations = row.slot === null ? counts[row.outcome] - own : 1
        return { probeId: probe.id, at: probe.finishedAt, combinations, ...row }
      })
    })
    .slice(0, limit)

const peer = (
  { orphans, peers }: HistoryMemory,
  { failingSince = 0, peerId }: typeof PeerRecordOptions.Type
): typeof PeerRecord.Type => {
  const known = peers.get(peerId)
  if (known === undefined) return null
  const { address, agent, claimChanges, failure, firstSeen, lastSeen, probes, sums } = known
  const { conversations, findings, outcomes, recovered, standing } = sums
  return {
    conversations,
    findings,
    outcomes,
    recovered,
    claimChanges,
    agent: Option.getOrNull(agent),
    address: Option.getOrNull(address),
    firstSeen: Option.getOrNull(firstSeen),
    lastSeen: Option.getOrNull(lastSeen),
    probes,
    lastProbeAt: Option.getOrNull(sums.lastProbeAt),
    lastFailure: Option.getOrNull(Option.map(failure, ({ sentence }) => sentence)),
    coverage: Option.getOrNull(sums.coverage),
    failing: failingOf(known, failingSince, orphans),
    suspected: standing.suspicions,
    evasion: standing.evasion
  }
}

const peerDays = (memory: HistoryMemory, { peerId }: typeof PeerOptions.Type): ReadonlyArray<ComplianceRow> =>
  Object.entries(Arr.groupBy(probesOf(memory, peerId), ({ finishedAt }) => dayName(dayOf(finishedAt))))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([group, probes]) => ({
      group,
      probes: probes.length,
      peers: 1,
      ...countedOf(probes.reduce((sum, { outcomes }) => addOutcomes(sum, countOutcomes(outcomes)), noOutcomes))
    }))

const extent = ({ peers, probes, totals }: HistoryMemory): Extent => {
  const days = [...probes.values()].map(({ finishedAt }) => dayOf(finishedAt))
  return {
    network: null,
    firstDay: days.length === 0 ? null : days.reduce((a, b) => Math.min(a, b)),
    lastDay: days.length === 0 ? null : days.reduce((a, b) => Math.max(a, b)),
    peers: [...peers.values()].filter((peer) => peer.probes > 0).length,
    ...totals
  }
}

/** The oldest first. */
const probesOf = ({ probes }: HistoryMemory, peerId: string): Array<Probe> =>
  [...probes.values()].filter(({ job }) => job.peerId === peerId)
