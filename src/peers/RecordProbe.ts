import { Effect, HashSet, Option } from "effect"
import { coverageView } from "../domain/probe/Confidence.ts"
import { describe } from "../domain/probe/Outcome.ts"
import { EventBus } from "../events/EventBus.ts"
import { History } from "../history/store/History.ts"
import { Sampler } from "../sampler/Sampler.ts"
import { withProbe } from "./PeerState.ts"
import type { ProbeResult } from "../probe/Prober.ts"
import type { Voice } from "./Voice.ts"

/**
 * Records and tells a finished probe. What is counted is recorded and told too, also when the program stops at that
 * moment: this cannot be interrupted, but for a wait for the history, which may be long when the disk is full.
 */
export const makeConclude = Effect.fnUntraced(function* (voice: Voice) {
  const history = yield* History
  const sampler = yield* Sampler
  const bus = yield* EventBus

  return ({ conversation, error, probe }: ProbeResult) =>
    Effect.gen(function* () {
      const counts = yield* sampler.record(probe)
      const coverage = Option.map(counts, coverageView)
      yield* bus.publish({ _tag: "Sampling", probe, coverage: Option.getOrNull(coverage) })
      yield* untilStopped(history.recordProbe(probe, conversation, Option.getOrUndefined(counts)))
      yield* voice.update((state) => {
        const after = {
          ...withProbe(state, probe, conversation),
          coverage: Option.orElse(coverage, () => state.coverage)
        }
        return Option.isSome(error) && after.lastFailure === null
          ? { ...after, lastFailure: describe(error.value) }
          : after
      })
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
