import { Clock, Duration, Effect, FiberSet, Layer, Metric, Option, Random, Schedule, Stream } from "effect"
import { secondLooks } from "../domain/metrics/Metrics.ts"
import type { Event } from "../domain/Event.ts"
import type { LookResult } from "../domain/probe/SecondLook.ts"
import { EventBus } from "../events/EventBus.ts"
import { SecondHost, type SecondIdentity } from "../host/SecondHost.ts"
import { daemon } from "../runtime/Daemon.ts"
import { Doubts } from "../runtime/Doubts.ts"
import { makeGuard } from "../runtime/Guard.ts"
import { uniform } from "../sampler/Uniform.ts"
import { makeAskSecond } from "./AskSecond.ts"
import { makeDueLooks } from "./DueLooks.ts"
import { type LookOptions, makeLook } from "./Look.ts"
import { makeOwnTrouble } from "./OwnTrouble.ts"
import { paceOf } from "./Pace.ts"
import { type Subject, subjectOf } from "./Subject.ts"
import { makeVisits } from "./Visits.ts"

/**
 * Where the host has a second identity, has it ask peers, now and then, what the first has just had an answer to, and
 * alarms when a peer answers by who asks. Without one this is nothing.
 */
export const layer = (options: LookOptions) =>
  Layer.scopedDiscard(
    Effect.flatMap(SecondHost, Option.match({ onNone: () => Effect.void, onSome: (second) => start(second, options) }))
  )

const start = Effect.fn("SecondLook.start")(function* (second: SecondIdentity, options: LookOptions) {
  const bus = yield* EventBus
  const doubts = yield* Doubts
  const pace = paceOf(options)
  const due = makeDueLooks()
  const ownTrouble = makeOwnTrouble(pace.troubleWindowMs)
  const visits = yield* makeVisits(second.host)
  const look = yield* makeLook({ ask: yield* makeAskSecond(second), visits, ownTrouble }, options)
  const looks = yield* FiberSet.make<void>()
  const guard = yield* makeGuard("a look of the second identity", { isShown: true })

  const tellTrouble = Effect.flatMap(Clock.currentTimeMillis, (now) =>
    doubts.set("second_identity", Option.fromNullable(ownTrouble.look(now)))
  )

  const lookAt = (subject: Subject) =>
    guard(look(subject), () => "died" as const).pipe(
      Effect.orElseSucceed((): LookResult => "ours"),
      Effect.flatMap((result) => Metric.increment(secondLooks.of({ result }))),
      Effect.ensuring(
        Effect.gen(function* () {
          const rest = yield* Random.nextRange(pace.every.leastMs, pace.every.mostMs)
          due.rested(subject.job.peerId, (yield* Clock.currentTimeMillis) + rest)
          yield* tellTrouble
        })
      ),
      Effect.annotateLogs({ peer: subject.job.peerId })
    )

  const offer = Effect.fnUntraced(function* (event: Event) {
    if (event._tag !== "Sampling") return
    const random = uniform(yield* Random.nextInt)
    const subject = subjectOf(event.probe, (below) => Math.floor(random() * below))
    if (subject === undefined) return
    const soon = yield* Random.nextRange(pace.soon.leastMs, pace.soon.mostMs)
    due.offer(subject, event.probe.finishedAt + soon)
  })

  const begin = Effect.gen(function* () {
    yield* tellTrouble
    const now = yield* Clock.currentTimeMillis
    while ((yield* FiberSet.size(looks)) < mostLooks) {
      const subject = due.take(now)
      if (subject === undefined) return
      yield* FiberSet.run(looks, lookAt(subject))
    }
  })

  const events = yield* bus.subscribe
  yield* daemon("the watch for what a second identity may ask", Stream.runForEach(events, offer))
  yield* daemon("the looks of the second identity", begin, Schedule.spaced(Duration.millis(pace.tickMs)))
})

/** Looks under way at once; most of them wait to ask again. */
const mostLooks = 256
