import { Effect, HashSet, Option } from "effect"
import { coverageView } from "../domain/probe/Confidence.ts"
import { describe } from "../domain/probe/Outcome.ts"
import { History } from "../history/store/History.ts"
import type { ProbeResult } from "../probe/Prober.ts"
import { ProbeTotals } from "../probe/ProbeTotals.ts"
import { Sampler } from "../sampler/Sampler.ts"
import type { PeerJournal } from "./PeerJournal.ts"
import { withProbe } from "./PeerState.ts"

/**
 * Takes a finished probe: it is counted, changes the peer's state and is told in one step, and is recorded after that.
 * This cannot be interrupted, but for the wait for the history, which may be long when the disk is full: what is told
 * is recorded too, also when the program stops at that moment.
 */
export const makeRecordProbe = Effect.fnUntraced(function* (journal: PeerJournal) {
  const history = yield* History
  const sampler = yield* Sampler
  const totals = yield* ProbeTotals

  return ({ conversation, error, probe }: ProbeResult) =>
    Effect.gen(function* () {
      const counts = yield* sampler.record(probe)
      const coverage = Option.map(counts, coverageView)
      yield* journal.enter({
        change: (state) => {
          const after = {
            ...withProbe(state, probe, conversation),
            coverage: Option.orElse(coverage, () => state.coverage)
          }
          return { ...after, lastFailure: Option.orElse(after.lastFailure, () => Option.map(error, describe)) }
        },
        also: () => totals.ended(probe),
        events: () => [{ _tag: "Sampling", probe, conversation, coverage: Option.getOrNull(coverage) }]
      })
      yield* untilStopped(history.recordProbe(probe, conversation, Option.getOrUndefined(counts)))
    }).pipe(Effect.uninterruptible)
})

/** Whether someone has asked this fiber to stop. */
export const isStopping = Effect.descriptorWith(({ interruptors }) => Effect.succeed(HashSet.size(interruptors) > 0))

/** Waits as long as it takes; once this fiber is to stop, no more than a second. A probe is never recorded twice. */
const untilStopped = (record: Effect.Effect<void>): Effect.Effect<void> =>
  Effect.interruptible(record).pipe(
    Effect.timeoutTo({ duration: "1 second", onTimeout: () => false, onSuccess: () => true }),
    Effect.zipWith(isStopping, (isRecorded, isStopping) => isRecorded || isStopping),
    Effect.repeat({ until: (isOver) => isOver }),
    Effect.asVoid
  )
