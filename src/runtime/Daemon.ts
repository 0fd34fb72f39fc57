import { Cause, Context, Duration, Effect, type Fiber, Layer, Metric, Schedule, type Scope } from "effect"
import { defects } from "../domain/metrics/Metrics.ts"
import { messageOf } from "../domain/Text.ts"

/** A daemon that failed, and did not succeed since. */
export interface FailingDaemon {
  readonly name: string
  /** Times in a row. */
  readonly failures: number
  /** What it failed of, for those who may see the log. */
  readonly reason: string
}

/**
 * What is known of the daemons of one program. Where a host provides none, each engine keeps an account of its own
 * daemons, and those of the host's own parts are logged and counted only.
 */
export class Daemons extends Context.Reference<Daemons>()("dasmon/Daemons", { defaultValue: () => unregistered }) {
  /** An account that is shared by everything that is built over it. */
  static readonly layer = Layer.sync(Daemons, () => makeDaemons())
  /** An account of one's own, unless someone around it keeps one already. */
  static readonly layerUnlessShared = Layer.effect(
    Daemons,
    Effect.map(Daemons, (shared) => (shared === unregistered ? makeDaemons() : shared))
  )
}

export interface DaemonAccount {
  /** Those that do not do their work at this moment, in the order of their names. */
  readonly failing: Effect.Effect<ReadonlyArray<FailingDaemon>>
  /** Times that any of them failed, since the account was opened. */
  readonly failures: Effect.Effect<number>
  readonly failed: (name: string, reason: string) => Effect.Effect<void>
  /** The daemon did its work, or ended with its scope. */
  readonly recovered: (name: string) => Effect.Effect<void>
}

/**
 * Runs `work` in the background until the scope closes: once, and then again whenever `schedule` says so. `work` that
 * never ends by itself needs no schedule. Expected errors are the work's own business; whatever still comes out of it,
 * defect or not, is logged with the daemon's name, counted, shown by `Daemons` until the work succeeds again (or runs
 * for ten seconds), and the work is started again, later each time: from half a second to a minute.
 */
export const daemon = <A, E, R, R2 = never>(
  name: string,
  work: Effect.Effect<A, E, R>,
  schedule: Schedule.Schedule<unknown, void, R2> = Schedule.stop
): Effect.Effect<Fiber.RuntimeFiber<void>, never, R | R2 | Scope.Scope> =>
  Effect.gen(function* () {
    const daemons = yield* Daemons
    const backOff = yield* Schedule.driver(restarts)
    const pace = yield* Schedule.driver(schedule)
    const well = Effect.zipRight(backOff.reset, daemons.recovered(name))
    const steady = Effect.forkScoped(Effect.delay(well, steadyAfter))
    const failed = (cause: Cause.Cause<E>) =>
      Effect.all(
        [
          Metric.increment(defects),
          daemons.failed(name, messageOf(Cause.squash(cause))),
          Effect.logError(`${name} failed and is started again`, cause),
          Effect.ignore(backOff.next(undefined))
        ],
        { discard: true }
      )
    /** Gives whether the work is to be done once more. */
    const round = Effect.zipRight(steady, work).pipe(
      Effect.scoped,
      Effect.sandbox,
      Effect.matchEffect({
        onFailure: (cause) => Effect.as(failed(cause), true),
        onSuccess: () => Effect.zipRight(well, Effect.isSuccess(pace.next(undefined)))
      })
    )
    return yield* Effect.repeat(round, { while: (more) => more }).pipe(
      Effect.asVoid,
      Effect.ensuring(daemons.recovered(name)),
      Effect.annotateLogs({ daemon: name }),
      Effect.forkScoped
    )
  })

/**
 * A sentence for whoever looks after the program. Without the reason, which may hold paths and addresses: `/healthz`
 * tells everyone.
 */
export const describeFailing = ({ failures, name }: FailingDaemon): string =>
  `${name} has failed ${failures === 1 ? "once" : `${failures} times in a row`} and is tried again; the log says why`

const restarts = Schedule.exponential("500 millis").pipe(Schedule.union(Schedule.spaced("1 minute")), Schedule.jittered)

/** Work that has run for so long does what it should. */
const steadyAfter = Duration.seconds(10)

const makeDaemons = (): DaemonAccount => {
  const failing = new Map<string, FailingDaemon>()
  let total = 0
  return {
    failing: Effect.sync(() => [...failing.values()].sort((a, b) => a.name.localeCompare(b.name))),
    failures: Effect.sync(() => total),
    failed: (name, reason) =>
      Effect.sync(() => {
        total++
        failing.set(name, { name, failures: (failing.get(name)?.failures ?? 0) + 1, reason })
      }),
    recovered: (name) => Effect.sync(() => void failing.delete(name))
  }
}

const unregistered: DaemonAccount = {
  failing: Effect.succeed([]),
  failures: Effect.succeed(0),
  failed: () => Effect.void,
  recovered: () => Effect.void
}
