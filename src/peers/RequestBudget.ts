import { Duration, Option } from "effect"
import { type Bucket, makeBucket } from "../domain/Bucket.ts"
import { sidecarBytes } from "../domain/column/Sidecar.ts"
import { dayMs } from "../domain/Day.ts"
import { blobParametersAt, type ChainParameters, epochOf, forkAt, slotAt } from "../domain/network/Chain.ts"
import { type ClientFamily, clientFamily } from "../domain/peer/ClientFamily.ts"
import { type ClientLimits, clientLimits, unitsByRange, unitsByRoot } from "../domain/peer/ClientLimits.ts"
import { levelAt, mostQuestionUnits, mostUnits, spacingMs } from "../domain/peer/Restraint.ts"
import type { SuspectedSlot } from "../domain/peer/Suspicions.ts"
import type { Job } from "../domain/probe/Job.ts"
import { maxRangeRequests } from "../probe/Sample.ts"
import type { JobLimits } from "../sampler/JobLimits.ts"
import type { PeerState } from "./PeerState.ts"

export interface BudgetOptions {
  /** At least this between two probes of one peer. */
  readonly testInterval: Duration.Duration
  /** Bytes of columns a day and peer with up to eight columns, `Infinity` for no limit; up to four times that with more. */
  readonly dailyBytes: number
}

/**
 * What one peer may be asked for: as its client lets one peer ask (`ClientLimits`), as it has let us lately (`Restraint`),
 * and as many bytes a day as were chosen. A probe is charged before it begins for the most that it can come to, all that
 * it may ask for afterwards included, and corrected when it is over. `now`: Unix milliseconds.
 */
export interface RequestBudget {
  /** Until anything of columns may be asked of it; 0 but for a peer that we have asked too much. */
  readonly untilMs: (now: number) => number
  /** From the end of one probe to the next, at least. */
  readonly spacingMs: (now: number) => number
  /** What a job may hold that samples; none while there is not enough for a slot. With `isWanted` bytes do not matter. */
  readonly sampling: (now: number, isWanted: boolean) => Option.Option<JobLimits>
  /** Until its client lets it be asked for the least that samples; 0 where only something else is in the way. */
  readonly untilSamplingMs: (now: number) => number
  /** Of what is suspected and due, what may be asked for now. */
  readonly confirming: (due: ReadonlyArray<SuspectedSlot>, now: number) => ReadonlyArray<SuspectedSlot>
  /** Whether just this job may be asked for now. */
  readonly allows: (job: Job, now: number) => boolean
  /** A probe begins. Its end is told to what this gives; one of which no end is told was the most that it can come to. */
  readonly begin: (job: Job, confirms: ReadonlyArray<SuspectedSlot>, now: number) => (end: Ended, now: number) => void
  /** Columns of one slot that may be asked for by root at once, whenever that is. */
  readonly mostWanted: (now: number) => number
  /**
   * Until so many columns of one slot may be asked for by root and enough is left for what is sampled or confirmed besides;
   * the bytes of a day do not matter.
   */
  readonly untilWantedMs: (columns: number, now: number) => number
  /** As `begin`, of a job that asks by root for columns of one slot. */
  readonly beginWanted: (job: Job, now: number) => (end: Ended, now: number) => void
  /** Whether its claim may be asked for now; that is charged at once. */
  readonly refresh: (now: number) => boolean
}

export const makeRequestBudget = (
  chain: ChainParameters,
  state: () => PeerState,
  { dailyBytes, testInterval }: BudgetOptions
): RequestBudget => {
  const testMs = Duration.toMillis(testInterval)
  let known: Known | undefined
  let bytes: Bucket | undefined

  const client = (): Known => {
    const family = clientFamily(Option.getOrNull(state().agent))
    // It calls itself something else, or says for the first time who it is: from here on its own limits hold.
    if (known?.family !== family) known = { family, limits: clientLimits(family), buckets: makeBuckets(family) }
    return known
  }
  const buckets = (): Buckets => client().buckets

  /** Whoever was asked lately, by this run of the program or another, has no burst to come. */
  const bytesLeft = (now: number): Bucket => {
    const perSecond = dailyBytes / (dayMs / 1000)
    const seconds = Option.match(state().lastProbeAt, {
      onNone: () => dayMs / 1000,
      onSome: (at) => Math.max(1, now - at) / 1000
    })
    bytes ??= makeBucket({ burst: dailyBytes / burstsADay, perSecond }, seconds * perSecond)
    return bytes
  }

  const columns = (): number =>
    Option.match(state().claims, { onNone: () => 1, onSome: ({ current }) => current.columns.length })
  /** Bytes of a peer with more columns weigh less. */
  const weight = (): number => Math.min(mostShares, Math.max(1, columns() / columnsOfAShare))
  const mostSidecarBytes = (now: number): number => {
    const epoch = epochOf(chain, Math.max(0, slotAt(chain, now)))
    return sidecarBytes(forkAt(chain, epoch).name, blobParametersAt(chain, epoch).maxBlobsPerBlock)
  }

  /** What the peer and its client let a probe cost now, in units. */
  const roomFor = (now: number, most = mostUnits(state().restraint, now)): Room => {
    const { byRoot, columns, requests } = buckets()
    return {
      units: Math.min(columns.room(now), most),
      byRoot: byRoot.room(now),
      requests: requests.room(now)
    }
  }

  const charge = (cost: Cost, now: number): void => {
    const { byRoot, columns, requests, status, metadata } = buckets()
    columns.take(cost.units, now)
    byRoot.take(cost.byRoot, now)
    requests.take(cost.requests, now)
    for (const one of [status, metadata]) one.take(cost.claims, now)
  }

  const isCovered = (cost: Cost, now: number, { byRoot, requests, units }: Room): boolean =>
    cost.units <= units && cost.byRoot <= byRoot && cost.requests <= requests && (cost.claims === 0 || mayGreet(now))

  const mayGreet = (now: number): boolean => {
    const { metadata, requests, status } = buckets()
    return status.room(now) >= 1 && metadata.room(now) >= 1 && requests.room(now) >= greeting.requests
  }

  const untilMs = (now: number): number => {
    const { lastProbeAt, restraint } = state()
    if (levelAt(restraint, now) === 0) return 0
    const last = Math.max(
      Option.getOrElse(lastProbeAt, () => 0),
      restraint.at
    )
    return Math.max(0, last + spacingMs(restraint, testMs, now) - now)
  }

  /** Charges the most that a probe can come to, and what it did not come to (`spent`) back at its end. */
  const begin = (
    { combinations, most }: { readonly most: Cost; readonly combinations: number },
    now: number,
    spent: (end: Ended) => Cost
  ) => {
    const mostBytes = combinations * mostSidecarBytes(now)
    const left = bytesLeft(now)
    charge(most, now)
    left.take(mostBytes / weight(), now)
    return (end: Ended, later: number): void => {
      left.take((end.bytes - mostBytes) / weight(), later)
      // However often someone has it probed: it is not silent for days after that.
      left.take(Math.min(0, left.room(later) + dailyBytes / burstsADay), later)
      const { byRoot, units } = spent(end)
      const requests = Math.min(0, end.requests - most.requests)
      charge({ units: units - most.units, byRoot: byRoot - most.byRoot, requests, claims: 0 }, later)
    }
  }

  return {
    untilMs,
    spacingMs: (now) => Math.max(spacingMs(state().restraint, testMs, now), untilMs(now)),
    sampling: (now, isWanted) => {
      const { byRoot, requests, units } = roomFor(now)
      const sidecar = mostSidecarBytes(now)
      const slot = Math.min(columns(), columnsTogether) * sidecar
      const left = bytesLeft(now)
      // Below a burst that is smaller than a slot there is nothing to wait for.
      const isThere = left.untilMs(slot / weight(), now) === 0
      if (requests < maxRangeRequests + 1 || (!isThere && !isWanted)) return Option.none()
      const inBytes = Math.floor(Math.max(left.room(now) * weight(), isThere ? 0 : slot) / sidecar)
      const limits = {
        maxCombinations: Math.min(Math.max(1, inBytes), Math.floor(byRoot), combinationsIn(units)),
        maxSlots: slotsIn(units)
      }
      return limits.maxCombinations < 1 || limits.maxSlots < 1 ? Option.none() : Option.some(limits)
    },
    untilSamplingMs: (now) => {
      const { byRoot, columns, requests } = buckets()
      return Math.max(
        untilMs(now),
        columns.untilMs(leastCost, now),
        byRoot.untilMs(1, now),
        requests.untilMs(maxRangeRequests + 1, now)
      )
    },
    confirming: (due, now) => {
      const taken: Array<SuspectedSlot> = []
      const room = roomFor(now, mostQuestionUnits(state().restraint, now))
      for (const suspected of due) {
        let count = suspected.columns.length
        const part = (): SuspectedSlot => ({ ...suspected, columns: suspected.columns.slice(0, count) })
        while (count > 0 && !isCovered(confirmationCost([...taken, part()]), now, room)) count = Math.floor(count / 2)
        if (count > 0) taken.push(part())
        if (count < suspected.columns.length) break
      }
      return taken
    },
    allows: (job, now) => isCovered(samplingCost(job), now, roomFor(now)),
    begin: (job, confirms, now) => {
      const most = confirms.length > 0 ? confirmationCost(confirms) : samplingCost(job)
      const oneRange = { ...most, units: unitsByRange(job.count, job.columns.length), byRoot: 0 }
      return begin({ most, combinations: combinationsOf(job, confirms) }, now, ({ requests }) =>
        confirms.length === 0 && requests <= 1 ? oneRange : most
      )
    },
    mostWanted: (now) => {
      const { byRoot, columns } = client().limits
      const units = Math.min(columns.burst, byRoot.burst, mostUnits(state().restraint, now))
      return Math.max(1, Math.floor(units / wantedRequests))
    },
    untilWantedMs: (count, now) => {
      const { buckets, limits } = client()
      const cost = wantedCost(count)
      const until = (of: "columns" | "byRoot" | "requests", amount: number, least: number): number =>
        buckets[of].untilMs(amount + Math.max(least, leftShare * limits[of].burst), now)
      return Math.max(
        untilMs(now),
        until("columns", cost.units, leastCost),
        until("byRoot", cost.byRoot, 1),
        until("requests", cost.requests, maxRangeRequests + 1)
      )
    },
    beginWanted: ({ columns: { length } }, now) => {
      const most = wantedCost(length)
      const once = { ...most, units: unitsByRoot(1, length), byRoot: unitsByRoot(1, length) }
      return begin({ most, combinations: length }, now, ({ requests }) => (requests <= 1 ? once : most))
    },
    refresh: (now) => {
      if (!mayGreet(now)) return false
      charge(greeting, now)
      return true
    }
  }
}

/** What a probe came to. */
interface Ended {
  readonly requests: number
  readonly bytes: number
}

/** What a probe may cost now. */
type Room = Omit<Cost, "claims">

interface Known {
  readonly family: ClientFamily
  readonly limits: ClientLimits
  readonly buckets: Buckets
}

interface Cost {
  readonly units: number
  readonly byRoot: number
  readonly requests: number
  /** Status and MetaData, so often each. */
  readonly claims: number
}

type Buckets = Readonly<Record<keyof ClientLimits, Bucket>>

const makeBuckets = (family: ClientFamily): Buckets => {
  const { byRoot, columns, metadata, requests, status } = clientLimits(family)
  return {
    columns: makeBucket(columns),
    byRoot: makeBucket(byRoot),
    requests: makeBucket(requests),
    status: makeBucket(status),
    metadata: makeBucket(metadata)
  }
}

/** Status and MetaData. */
const greeting: Cost = { units: 0, byRoot: 0, requests: 2, claims: 1 }

/** All of it by range, again where an answer stops, and by root what was left out. */
const samplingCost = ({ columns, count }: Job): Cost => ({
  units: maxRangeRequests * unitsByRange(count, columns.length) + unitsByRoot(count, columns.length),
  byRoot: unitsByRoot(count, columns.length),
  requests: maxRangeRequests + 1,
  claims: 0
})

/** Slot by slot by root, and by range; then what the peer claims by now. */
const confirmationCost = (confirms: ReadonlyArray<SuspectedSlot>): Cost => {
  const byRoot = confirms.reduce((sum, { columns }) => sum + unitsByRoot(1, columns.length), 0)
  const byRange = confirms.reduce((sum, { columns }) => sum + unitsByRange(1, columns.length), 0)
  return { units: byRoot + byRange, byRoot, requests: 2 * confirms.length + greeting.requests, claims: 1 }
}

/** What questions by root leave of a burst: who is asked one after the other is tested all the same. */
const leftShare = 1 / 4

/** By root, and what is left of a block that was begun once more. */
const wantedRequests = 2
const wantedCost = (columns: number): Cost => ({
  units: wantedRequests * unitsByRoot(1, columns),
  byRoot: wantedRequests * unitsByRoot(1, columns),
  requests: wantedRequests,
  claims: 0
})

/** Combinations that a job asks for: all of its rectangle, or what it confirms. */
const combinationsOf = (job: Job, confirms: ReadonlyArray<SuspectedSlot>): number =>
  confirms.length === 0
    ? job.count * job.columns.length
    : confirms.reduce((sum, { columns }) => sum + columns.length, 0)

/** Shares of `units` that go to combinations and to slots, so that `samplingCost` is within them, or is the least. */
const slotsShare = 1 / 6
const combinationsIn = (units: number): number =>
  units < leastCost ? 0 : Math.max(1, Math.floor((units * (1 - slotsShare)) / (maxRangeRequests + 1)))
const slotsIn = (units: number): number =>
  units < leastCost ? 0 : Math.max(1, Math.floor((units * slotsShare) / maxRangeRequests))
const leastCost = samplingCost({ peerId: "", startSlot: 0, count: 1, columns: [0] }).units

/** So much of a day's bytes may be asked for at once: a peer that is new is judged within a minute. */
const burstsADay = 16
/** Most peers keep four or eight. */
const columnsOfAShare = 8
const mostShares = 4
/** One request takes no more of them, as a rule. */
const columnsTogether = 16
