import { Duration, Effect, Either, Layer, Schedule, type Scope } from "effect"
import type { SlotFacts } from "../domain/network/Block.ts"
import { epochStart, forkEpoch, maxRequestBlocks, type SlotRange } from "../domain/network/Chain.ts"
import { tileOf, tilesOf } from "../domain/network/Tile.ts"
import { Externs, ExternsError } from "../host/Externs.ts"
import { daemon } from "../runtime/Daemon.ts"
import { makeGuard } from "../runtime/Guard.ts"
import { backfill as fill, backfillOnce } from "./Backfill.ts"
import { makeBackfillProgress } from "./BackfillProgress.ts"
import { advance, follow, heal, makeWorklist } from "./ChainFollower.ts"
import { watchChain } from "./ChainWatch.ts"
import { type ChainMemory, makeChainMemory } from "./ChainMemory.ts"
import { makeKeptTruth } from "./disk/KeptTruth.ts"
import { makePatientLoader, type PatientLoader } from "./PatientLoader.ts"
import { makeTileLoader, provenFacts, type TileLoader } from "./TileLoader.ts"
import { CommitmentCache } from "./CommitmentCache.ts"
import { compareCheckpoint } from "./CompareCheckpoint.ts"

export interface ChainCommitmentsOptions {
  /** How far back slots are remembered; not beyond the time for which columns are kept. */
  readonly window: Duration.DurationInput
  /**
   * What is asked for beyond the slots near the head and those that someone wants: nothing (`off`), the whole window
   * little by little (`background`), or the whole window before anything else starts (`preload`).
   */
  readonly mode: "off" | "background" | "preload"
  /** Bytes of whole blocks in memory, about; default 128 MiB. Of the others it is still known whether they have columns. */
  readonly maxBytes?: number | undefined
  /** Between two questions of 32 slots in the background; default 20 ms. */
  readonly pause?: Duration.DurationInput | undefined
  /** How long `preload` may hold up the start before it goes on in the background; default 15 minutes. */
  readonly preloadLimit?: Duration.DurationInput | undefined
}

/** For the chain to tell of its head. */
const headLimit = Duration.seconds(30)

/** The commitment cache over the chain that the externs tell of; what is final is kept in the `TileStore`, if there is one. */
export const layer = (options: ChainCommitmentsOptions): Layer.Layer<CommitmentCache, never, Externs> =>
  Layer.scoped(CommitmentCache, make(options)).pipe(Layer.annotateLogs({ service: "commitments" }))

/** An answer of another asker that lacks what this one wants: asked for again, this often. */
const maxJoins = 4

const make = Effect.fnUntraced(function* (options: ChainCommitmentsOptions) {
  const externs = yield* Externs
  const { chain } = externs
  const memory = makeChainMemory({
    // Of older slots no one owes columns.
    slots: Math.min(
      Math.max(1, Math.ceil(Duration.toMillis(options.window) / chain.slotDurationMs)),
      (chain.retentionEpochs + 1) * chain.slotsPerEpoch
    ),
    maxBytes: options.maxBytes ?? 128 * 2 ** 20,
    firstSlot: epochStart(chain, forkEpoch(chain, "fulu"))
  })
  const worklist = yield* makeWorklist
  const truth = yield* makeKeptTruth(chain, memory, worklist.add)
  const loader = yield* makeTileLoader(memory, worklist.add, truth.reload)

  const guard = yield* makeGuard("asking the chain for its head", { isShown: false })
  const refreshHead = guard(
    externs.chainHead.pipe(
      Effect.disconnect,
      Effect.timeoutFail({
        duration: headLimit,
        onTimeout: () =>
          new ExternsError({ operation: "head", reason: `no answer within ${Duration.format(headLimit)}` })
      }),
      Effect.flatMap((head) => worklist.add(advance(memory, head.slot, head.root)))
    ),
    (reason) => new ExternsError({ operation: "head", reason: `died of a bug: ${reason}` })
  )
  yield* Effect.ignore(Effect.timeout(refreshHead, "5 seconds"))
  // The stream is made to go on for ever; one that ends is run again.
  yield* daemon("following of the chain", follow(memory, worklist), Schedule.spaced("1 second"))
  const patient = makePatientLoader(memory, loader, refreshHead)
  // What is on disk need not be asked for.
  const recent = yield* Effect.makeLatch()
  const restored = yield* Effect.makeLatch()
  let isRestoring = true
  yield* daemon("healing of the commitments", Effect.zipRight(recent.await, heal(memory, patient, worklist)))
  let hasPassed = false
  yield* watchChain(chain, memory, () => hasPassed)
  const passed = Effect.sync(() => {
    hasPassed = true
  })
  const restoring = Effect.tap(truth.restore(recent.open), (result) =>
    Effect.suspend(() => {
      if (result === "away") return Effect.void
      isRestoring = false
      return Effect.zipRight(recent.open, restored.open)
    })
  )
  const backfill = yield* makeBackfillProgress(memory, {
    mode: options.mode,
    stage: () => (options.mode === "off" ? "off" : isRestoring ? "restoring" : hasPassed ? "done" : "filling"),
    stored: truth.slots
  })
  yield* daemon(
    "restoring of the ground truth",
    Effect.zipRight(
      Effect.repeat(Effect.sync(memory.head), { until: (head) => head >= 0, schedule: Schedule.spaced("500 millis") }),
      Effect.repeat(restoring, { until: (result) => result === "whole", schedule: restoreAgain })
    )
  )
  yield* startBackfill(memory, patient, options, restored.await, passed)

  const known = (range: SlotRange): Effect.Effect<ReadonlyArray<SlotFacts>, ExternsError> =>
    Effect.gen(function* () {
      if (range.end > memory.head()) yield* refreshHead
      if (range.end > memory.head()) {
        return yield* new ExternsError({
          operation: `blocks ${range.start}..${range.end}`,
          reason: `the head is at slot ${memory.head()}`
        })
      }
      const facts = new Map<number, SlotFacts>()
      const failed = yield* Effect.forEach(
        tilesOf(range),
        (tile) => Effect.either(Effect.flip(fromTile(memory, loader, tile, range, facts))),
        { concurrency: 2 }
      )
      const error = failed.find(Either.isRight)
      if (error !== undefined && facts.size === 0) return yield* error.right
      return slotsOf(range).flatMap((slot) => facts.get(slot) ?? [])
    })

  return CommitmentCache.of({
    range: (range) =>
      range.end - range.start >= maxRequestBlocks
        ? Effect.dieMessage(`a range of more than ${maxRequestBlocks} slots: ${range.start}..${range.end}`)
        : known(range),
    confirm: (slot) =>
      Effect.flatMap(loader.ask({ start: slot, end: slot }), (facts) =>
        Effect.fromNullable(facts.get(slot)).pipe(
          Effect.orElseFail(() => new ExternsError({ operation: `block ${slot}`, reason: "no answer" }))
        )
      ),
    columnSlots: memory.withColumns,
    replacedSince: memory.replacedSince,
    orphan: memory.orphan,
    progress: Effect.sync(() => {
      const { end, start } = memory.window()
      return { known: memory.countKnown(), wanted: Math.max(0, end - start + 1), ...memory.extent() }
    }),
    backfill,
    headSlot: Effect.sync(() => Math.max(0, memory.head())),
    finalized: Effect.sync(memory.finalized),
    compare: ({ epoch, root }) => compareCheckpoint(memory, known, epochStart(chain, epoch), root)
  })
})

/** Puts the facts of those slots of `range` that are in the tile into `facts`; fails when it is not all of them. */
const fromTile = Effect.fnUntraced(function* (
  memory: ChainMemory,
  loader: TileLoader,
  tile: number,
  range: SlotRange,
  facts: Map<number, SlotFacts>
) {
  const slots = slotsOf(range).filter((slot) => tileOf(slot) === tile)
  const take = (said: ReadonlyMap<number, SlotFacts>, wanted: ReadonlyArray<number>): void => {
    for (const slot of wanted) {
      const entry = said.get(slot)
      if (entry !== undefined) facts.set(slot, entry)
    }
  }
  const older = slots.filter((slot) => slot < memory.window().start)
  const [first, last] = [older.at(0), older.at(-1)]
  if (first !== undefined && last !== undefined) {
    // Not remembered, so asked for as often as it is wanted.
    const said = yield* Effect.tapError(loader.ask({ start: first, end: last }), (error) =>
      Effect.sync(() => take(provenFacts(error), older))
    )
    take(said, older)
  }
  for (let join = 0; join < maxJoins; join++) {
    for (const slot of slots) {
      const said = memory.facts(slot)
      if (said !== undefined) facts.set(slot, said)
    }
    const missing = slots.filter((slot) => !facts.has(slot))
    const [start, end] = [missing.at(0), missing.at(-1)]
    if (start === undefined || end === undefined) return
    const said = yield* Effect.tapError(loader.load(tile, { start, end }), (error) =>
      Effect.sync(() => take(provenFacts(error), missing))
    )
    take(said, missing)
  }
  if (slots.some((slot) => !facts.has(slot))) {
    return yield* new ExternsError({
      operation: `blocks ${range.start}..${range.end}`,
      reason: "the chain keeps changing while it is asked"
    })
  }
})

const startBackfill = (
  memory: ChainMemory,
  loader: PatientLoader,
  options: ChainCommitmentsOptions,
  restored: Effect.Effect<void>,
  passed: Effect.Effect<void>
): Effect.Effect<void, never, Scope.Scope> => {
  const inBackground = daemon(
    "backfill of the commitments",
    Effect.zipRight(restored, fill(memory, loader, Duration.decode(options.pause ?? "20 millis"), passed))
  )
  switch (options.mode) {
    case "off":
      return Effect.void
    case "background":
      return Effect.asVoid(inBackground)
    case "preload":
      return Effect.zipRight(
        daemon("progress of the preload", tellProgress(memory)),
        Effect.zipRight(restored, preload(memory, loader))
      ).pipe(
        Effect.scoped,
        Effect.timeout(options.preloadLimit ?? "15 minutes"),
        Effect.catchAll(() => Effect.logWarning("the window is not filled in time; it goes on in the background")),
        Effect.zipRight(inBackground),
        Effect.asVoid
      )
  }
}

const preload = (memory: ChainMemory, loader: PatientLoader): Effect.Effect<void> =>
  backfillOnce(memory, loader, Duration.zero, 2).pipe(
    Effect.repeat({
      schedule: preloadPasses,
      until: (lacking) => lacking === 0 && memory.head() >= 0
    }),
    Effect.asVoid
  )

/** What is on disk and cannot be told to be of the chain yet. */
const restoreAgain = Schedule.exponential("1 second").pipe(Schedule.union(Schedule.spaced("5 seconds")))

/** A chain that does not answer, or not yet, is asked again. */
const preloadPasses = Schedule.exponential("200 millis").pipe(
  Schedule.union(Schedule.spaced("5 seconds")),
  Schedule.jittered
)

const tellProgress = (memory: ChainMemory): Effect.Effect<never> =>
  Effect.suspend(() => {
    const { end, start } = memory.window()
    return Effect.logInfo(`filling the window: ${memory.countKnown()} of ${Math.max(0, end - start + 1)} slots`)
  }).pipe(Effect.delay("10 seconds"), Effect.forever)

const slotsOf = ({ end, start }: SlotRange): ReadonlyArray<number> =>
  start > end ? [] : Array.from({ length: end - start + 1 }, (_, index) => start + index)
