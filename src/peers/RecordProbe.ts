import { type Duration, Effect, Fiber, HashSet, Option } from "effect"
import type { Probe } from "../domain/probe/Job.ts"
import { coverageView } from "../domain/probe/Confidence.ts"
import { describe } from "../domain/probe/Outcome.ts"
import { History } from "../history/store/History.ts"
import type { ProbeResult } from "../probe/Prober.ts"
import { Sampler } from "../sampler/Sampler.ts"
import type { PeerJournal } from "./PeerJournal.ts"
import { withProbe } from "./PeerState.ts"
import { hasOtherStanding, standingOf } from "./Standing.ts"

/**
 * Takes a finished probe: it is counted (`ended`), changes the peer's state and is told in one step, and is recorded after that.
 * This cannot be interrupted, but for the wait for the history, which may be long when the disk is full: what is told
 * is recorded too, also when the program stops at that moment.
 */
export const makeRecordProbe = Effect.fnUntraced(function* (
  journal: PeerJournal,
  times: { readonly confirmAfter: Duration.Duration; readonly testInterval: Duration.Duration }
) {
  const history = yield* History
  const sampler = yield* Sampler

  return (result: ProbeResult, ended: (result: Probe) => void) =>
    Effect.gen(function* () {
      const { conversation, error } = result
      const { peerId } = journal.state().address
      const recorded = yield* sampler.record(result.probe)
      const counts = Option.map(recorded, ({ counts }) => counts)
      const coverage = Option.map(counts, coverageView)
      const probe = {
        ...result.probe,
        recovered: Option.match(recorded, { onNone: () => 0, onSome: ({ recovered }) => recovered })
      }
      const before = journal.state()
      const after = yield* journal.enter({
        change: (state) => {
          const after = {
            ...withProbe(state, { ...result, probe }, times),
            coverage: Option.orElse(coverage, () => state.coverage)
          }
          return { ...after, lastFailure: Option.orElse(after.lastFailure, () => Option.map(error, describe)) }
        },
        also: () => ended(probe),
        events: () => [{ _tag: "Sampling", probe, conversation, coverage: Option.getOrNull(coverage) }]
      })
      yield* untilStopped(
        Effect.zipRight(
          history.recordProbe(probe, conversation, Option.getOrUndefined(counts)),
          Effect.when(history.recordStanding(peerId, standingOf(after)), () => hasOtherStanding(before, after))
        )
      )
    }).pipe(Effect.uninterruptible)
})

/**
 * Waits as long as it takes; once this fiber is to stop, up to two seconds more. It is begun once: a record that was
 * broken off and begun again would go to the end of the queue each time.
 */
const untilStopped = (record: Effect.Effect<void>): Effect.Effect<void> =>
  Effect.gen(function* () {
    const recording = yield* Effect.fork(Effect.interruptible(record))
    const awhile = Effect.interruptible(Fiber.await(recording)).pipe(Effect.timeoutOption("1 second"))
    while (true) {
      const exit = yield* awhile
      if (Option.isSome(exit)) return yield* exit.value
      if (yield* isStopping) return yield* Effect.asVoid(Fiber.interrupt(recording))
    }
  })

/** Whether someone has asked this fiber to stop. */
const isStopping = Effect.descriptorWith(({ interruptors }) => Effect.succeed(HashSet.size(interruptors) > 0))
