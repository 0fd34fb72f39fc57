import { Clock, Context, Duration, Effect, Layer, Option, Random } from "effect"
import { epochStart, maxRequestBlocks, type SlotRange, slotAt } from "../domain/network/Chain.ts"
import { type ClaimHistory, type Margins, owedRange, owes, owesTheSame } from "../domain/peer/ClaimHistory.ts"
import { type CoverageCounts, settles } from "../domain/probe/Coverage.ts"
import { digestTable } from "../domain/network/ForkDigest.ts"
import type { Job, Probe } from "../domain/probe/Job.ts"
import type { Suspicions } from "../domain/peer/Suspicions.ts"
import { tileOf, tileSlots } from "../domain/network/Tile.ts"
import type { PeerId, Slot } from "../domain/Primitives.ts"
import { CommitmentCache } from "../chain/CommitmentCache.ts"
import { daemon } from "../runtime/Daemon.ts"
import { makeYielder } from "../runtime/YieldNow.ts"
import { History, type HistoryError } from "../history/store/History.ts"
import { Externs } from "../host/Externs.ts"
import { type Coverage, makeCoverage } from "./Coverage.ts"
import { fillCoverage } from "./FillCoverage.ts"
import { setAside } from "./SetAside.ts"
import { orphanedMeanwhile } from "./ReviewPast.ts"
import { type JobLimits, limitedTo } from "./JobLimits.ts"
import { groupColumns, type JobOptions, nextJob } from "./NextJob.ts"
import { uniform } from "./Uniform.ts"

export interface SamplerOptions extends Omit<JobOptions, "retryAfterMs"> {
  readonly margins: Margins
  /** How far back slots are asked for. */
  readonly historyWindow: Duration.Duration
  /** What failed is asked for again after this. */
  readonly retryAfter: Duration.Duration
  /** Slots that may be asked for while the head is at this slot. */
  readonly blockFilter: (headSlot: Slot) => SlotRange
}

/** Chooses what each peer is asked next, and remembers what was tested. */
export class Sampler extends Context.Tag("dasmon/Sampler")<
  Sampler,
  {
    /**
     * The next job for a peer with these claims, without what is suspected of it, and smaller where `limits` are; none
     * while nothing it owes can be judged. The first call for a peer reads from the history what was tested before.
     */
    readonly next: (
      peerId: PeerId,
      claims: ClaimHistory,
      suspicions: Suspicions,
      limits?: JobLimits
    ) => Effect.Effect<Option.Option<Job>, HistoryError>
    /** Whether a peer with these claims may be asked for, and judged by, all of this job at this moment. */
    readonly allows: (claims: ClaimHistory, job: Job) => Effect.Effect<boolean>
    /** Takes the outcomes of a finished probe into account; gives what that comes to. */
    readonly record: (probe: Probe) => Effect.Effect<Option.Option<Recorded>>
    /** Drops a peer's coverage from memory; the history keeps it. */
    readonly unload: (peerId: PeerId) => Effect.Effect<void>
  }
>() {
  static readonly layer = (options: SamplerOptions) => Layer.scoped(Sampler, make(options))
}

export interface Recorded {
  /** How much of what the peer owes is tested. */
  readonly counts: CoverageCounts
  /** Combinations that had failed, and were delivered now. */
  readonly recovered: number
}

/** What is held of one peer. */
interface Entry {
  readonly claims: ClaimHistory
  readonly coverage: Coverage
  /** Jobs given so far. */
  turn: number
  /** What could be asked for at the last job. */
  range: SlotRange
  /** Replaced blocks that were taken into account. */
  seen: number
}

const make = Effect.fn("Sampler.make")(function* (options: SamplerOptions) {
  const { chain } = yield* Externs
  const commitments = yield* CommitmentCache
  const history = yield* History
  const entries = new Map<string, Entry>()
  const jobOptions: JobOptions = { ...options, retryAfterMs: Duration.toMillis(options.retryAfter) }
  const windowSlots = Math.min(
    Math.ceil(Duration.toMillis(options.historyWindow) / chain.slotDurationMs),
    (chain.retentionEpochs + 1) * chain.slotsPerEpoch
  )
  const boundaries = [...digestTable(chain).values()]
    .map(({ firstEpoch }) => epochStart(chain, firstEpoch))
    .sort((a, b) => a - b)
  let recorded = 0
  /** One for all peers: a thousand short loads in a row would hold the thread as one long one would. */
  const yieldIfDue = makeYielder(5)

  const load = Effect.fn("Sampler.load")(function* (peerId: string, claims: ClaimHistory, turn: number) {
    // What the disk cannot take now is not known after this; it is then tested once more.
    yield* Effect.ignore(history.flush)
    const { seen } = commitments.replacedSince(0)
    const firstSlot = Math.max(0, slotAt(chain, yield* Clock.currentTimeMillis) - windowSlots)
    const coverage = makeCoverage(claims, {
      groupColumns: groupColumns(jobOptions),
      tiles: Math.ceil(windowSlots / tileSlots) + 2
    })
    coverage.advance(tileOf(firstSlot))
    yield* fillCoverage(coverage, yield* history.coverage(peerId, firstSlot), yieldIfDue)
    yield* yieldIfDue
    const entry: Entry = { claims, coverage, turn, range: { start: 0, end: -1 }, seen }
    entries.set(peerId, entry)
    return entry
  })

  /** What was held against a block that is not canonical any more is untested again, on disk too. */
  const forgetReplaced = Effect.fnUntraced(function* (entry: Entry, now: number) {
    const { blocks, seen } = commitments.replacedSince(entry.seen)
    entry.seen = seen
    for (const { slot } of blocks) entry.coverage.forget(slot)
    const unrecorded = commitments.replacedSince(recorded)
    recorded = unrecorded.seen
    yield* Effect.forEach(unrecorded.blocks, ({ root, slot }) => history.recordOrphan(slot, root, now), {
      discard: true
    })
  })

  /** What a peer with these claims may be asked for: what it owes, margins taken off, as far as it is wanted. */
  const rangeOf = (claims: ClaimHistory, headSlot: Slot, currentSlot: Slot): SlotRange => {
    const owed = owedRange(chain, claims, headSlot, currentSlot, options.margins)
    const filter = options.blockFilter(headSlot)
    return {
      start: Math.max(owed.start, filter.start, currentSlot - windowSlots, 0),
      end: Math.min(owed.end, filter.end)
    }
  }

  const next = Effect.fn("Sampler.next")(function* (
    peerId: string,
    claims: ClaimHistory,
    suspicions: Suspicions,
    limits?: JobLimits
  ) {
    const known = entries.get(peerId)
    const entry =
      known !== undefined && owesTheSame(known.claims, claims)
        ? known
        : yield* load(peerId, claims, known === undefined ? 0 : known.turn)
    const now = yield* Clock.currentTimeMillis
    yield* forgetReplaced(entry, now)
    const headSlot = yield* commitments.headSlot
    const currentSlot = slotAt(chain, now)
    entry.range = rangeOf(claims, headSlot, currentSlot)
    entry.coverage.advance(tileOf(Math.max(0, currentSlot - windowSlots)))
    const job = nextJob({
      peerId,
      range: entry.range,
      columnSlots: commitments.columnSlots,
      boundaries,
      coverage: entry.coverage,
      aside: setAside(suspicions),
      options: limits === undefined ? jobOptions : limitedTo(jobOptions, limits),
      turn: entry.turn,
      now,
      random: uniform(yield* Random.nextInt)
    })
    if (Option.isSome(job)) entry.turn++
    return job
  })

  const allows = (claims: ClaimHistory, { columns, count, startSlot }: Job) =>
    Effect.gen(function* () {
      const currentSlot = slotAt(chain, yield* Clock.currentTimeMillis)
      const range = rangeOf(claims, yield* commitments.headSlot, currentSlot)
      return (
        count >= 1 &&
        count <= maxRequestBlocks &&
        startSlot >= range.start &&
        startSlot + count - 1 <= range.end &&
        columns.length > 0 &&
        columns.every((column) => owes(claims, startSlot, column))
      )
    })

  const record = (probe: Probe) =>
    Effect.sync(() => {
      const entry = entries.get(probe.job.peerId)
      if (entry === undefined) return Option.none()
      const recovered = probe.outcomes.filter(
        ({ column, outcome, slot }) => outcome === "success" && entry.coverage.isFailed(slot, column)
      ).length
      entry.coverage.add(
        probe.outcomes.flatMap(({ blockRoot, column, outcome, slot }) =>
          settles(outcome) && Option.isNone(commitments.orphan(blockRoot))
            ? [{ slot, column, succeeded: outcome === "success" }]
            : []
        ),
        probe.finishedAt
      )
      return Option.some({ counts: entry.coverage.count(entry.range, commitments.columnSlots), recovered })
    })

  const review = orphanedMeanwhile(history, commitments).pipe(
    Effect.flatMap((blocks) =>
      Effect.forEach(blocks, ({ root, slot }) =>
        Effect.gen(function* () {
          for (const entry of entries.values()) entry.coverage.forget(slot)
          yield* history.recordOrphan(slot, root, yield* Clock.currentTimeMillis)
        })
      )
    ),
    Effect.catchAll((error) => Effect.logWarning(`blocks of before are not compared with the chain: ${error.message}`))
  )
  yield* daemon("review of blocks that were replaced meanwhile", review)

  return Sampler.of({ next, allows, record, unload: (peerId) => Effect.sync(() => void entries.delete(peerId)) })
})
