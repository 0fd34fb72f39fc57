import { Clock, Context, Effect, Layer, type Option, Random } from "effect"
import { epochStart, forkEpoch, type SlotRange, slotAt } from "../domain/Chain.ts"
import { type Margins, owedRange } from "../domain/Claim.ts"
import { type ClaimHistory, owes } from "../domain/ClaimHistory.ts"
import type { Job, Probe } from "../domain/Job.ts"
import { CommitmentCache } from "../commitments/CommitmentCache.ts"
import { History, type HistoryError } from "../history/History.ts"
import { Externs } from "../host/Externs.ts"
import { bitmapOf, cover, type Coverage } from "./Coverage.ts"
import { type JobOptions, nextJob } from "./NextJob.ts"

export interface SamplerOptions extends JobOptions {
  readonly margins: Margins
  /** How far back slots are asked for, in milliseconds. */
  readonly historyWindowMs: number
  /** Slots that may be asked for while the head is at this slot. */
  readonly blockFilter: (headSlot: number) => SlotRange
}

/** Chooses what each peer is asked next, and remembers what was tested. */
export class Sampler extends Context.Tag("dasmon/Sampler")<
  Sampler,
  {
    /** Loads what the history knows of a peer. A peer that was not loaded is taken as untested. */
    readonly load: (peerId: string) => Effect.Effect<void, HistoryError>
    /** Drops a peer's coverage from memory; the history keeps it. */
    readonly unload: (peerId: string) => Effect.Effect<void>
    /** The next job for a peer with these claims; none while nothing it owes can be judged. */
    readonly next: (peerId: string, claims: ClaimHistory) => Effect.Effect<Option.Option<Job>>
    /** Takes the outcomes of a finished probe into account. */
    readonly record: (probe: Probe) => Effect.Effect<void>
  }
>() {
  static readonly layer = (options: SamplerOptions) => Layer.effect(Sampler, make(options))
}

const make = Effect.fn("Sampler.make")(function* (options: SamplerOptions) {
  const { chain } = yield* Externs
  const commitments = yield* CommitmentCache
  const history = yield* History
  const coverages = new Map<string, Coverage>()
  const windowSlots = Math.ceil(options.historyWindowMs / chain.slotDurationMs)

  const coverageOf = (peerId: string): Coverage => {
    const known = coverages.get(peerId) ?? new Map()
    coverages.set(peerId, known)
    return known
  }

  const load = Effect.fn("Sampler.load")(function* (peerId: string) {
    const currentSlot = slotAt(chain, yield* Clock.currentTimeMillis)
    const rows = yield* history.coverage(peerId, currentSlot - windowSlots)
    coverages.set(peerId, new Map(rows.map(({ slot, ...covered }) => [slot, covered])))
  })

  const next = Effect.fnUntraced(function* (peerId: string, claims: ClaimHistory) {
    const now = yield* Clock.currentTimeMillis
    const headSlot = yield* commitments.headSlot
    const owed = owedRange(chain, claims.current, headSlot, slotAt(chain, now), options.margins)
    const filter = options.blockFilter(headSlot)
    const range = {
      start: Math.max(owed.start, filter.start, slotAt(chain, now) - windowSlots),
      end: Math.min(owed.end, filter.end)
    }
    const seed = yield* Random.nextInt
    return nextJob({
      peerId,
      slots: commitments.slotsWithColumns(range),
      newFormSlot: epochStart(chain, forkEpoch(chain, "gloas")),
      owed: owedColumns(claims),
      coverage: coverageOf(peerId),
      options,
      now,
      random: uniform(seed)
    })
  })

  return Sampler.of({
    load,
    unload: (peerId) => Effect.sync(() => void coverages.delete(peerId)),
    next,
    record: (probe) =>
      Effect.sync(() => {
        const coverage = coverageOf(probe.job.peerId)
        for (const { column, outcome, slot } of probe.outcomes) cover(coverage, slot, column, outcome, probe.startedAt)
      })
  })
})

const owedColumns = (claims: ClaimHistory): ((slot: number) => bigint) => {
  const all = bitmapOf(claims.current.columns)
  return claims.joined.size === 0
    ? () => all
    : (slot) => bitmapOf(claims.current.columns.filter((column) => owes(claims, slot, column)))
}

/** A small generator (mulberry32), so that one draw from the runtime's seeded Random decides a whole job. */
const uniform = (seed: number): (() => number) => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
