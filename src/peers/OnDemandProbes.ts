import { Cause, Clock, Deferred, Duration, Effect, Exit, Option } from "effect"
import type { Job, Probe } from "../domain/probe/Job.ts"
import {
  NotConnected,
  NothingToAsk,
  type NotProbed,
  ProbeTookTooLong,
  TooManyWaiting,
  TooSoon,
  type UnknownPeer
} from "../domain/probe/ProbeNow.ts"

/**
 * Callers that want a peer probed. They change nothing about when it is asked: they wait for its actor's next turn,
 * which stays within the same budgets, and get what comes of it.
 */
export interface OnDemandProbes {
  /**
   * The next probe of the peer that begins from now on: of this job, or else of whatever the actor chooses. Fails at
   * once when the peer's turn is too far off to wait for.
   */
  readonly wait: (job: Option.Option<Job>) => Effect.Effect<Probe, Exclude<NotProbed, UnknownPeer>>
  /** The actor's next turn does not come within this time from now. */
  readonly notWithin: (time: Duration.Duration) => Effect.Effect<void>
  /** Whether anyone waits for a probe, of whatever job. */
  readonly isWaitedFor: () => boolean
  /** The job that someone has waited for the longest. */
  readonly wanted: () => Option.Option<Job>
  /** The actor probes this job: whoever waits for it, or for any probe, gets what comes of it. */
  readonly serve: <A extends { readonly probe: Probe }, E extends Error, R>(
    job: Job,
    turn: Effect.Effect<A, E, R>
  ) => Effect.Effect<A, E, R>
  /** The actor's turn came, and there is nothing to ask: for anyone, or for those who wait for this job. */
  readonly refuse: (reason: string, job?: Option.Option<Job>) => Effect.Effect<void>
}

interface Caller {
  readonly job: Option.Option<Job>
  readonly result: Deferred.Deferred<Probe, NotConnected | NothingToAsk>
}

/** `untilDown` returns when the connection to the peer is lost. */
export const makeOnDemandProbes = (peerId: string, untilDown: Effect.Effect<void>): OnDemandProbes => {
  const callers = new Set<Caller>()
  const gone = new NotConnected({ peerId })
  let turnAt = 0

  /** Takes out those that a turn is for, and gives what tells them. */
  const take = (isFor: (caller: Caller) => boolean) =>
    Effect.sync(() => {
      const taken = [...callers].filter(isFor)
      for (const caller of taken) callers.delete(caller)
      return (result: Effect.Effect<Probe, NotConnected | NothingToAsk>) =>
        Effect.forEach(taken, (caller) => Deferred.complete(caller.result, result), { discard: true })
    })

  const wait: OnDemandProbes["wait"] = Effect.fnUntraced(function* (job) {
    const waitMs = turnAt - (yield* Clock.currentTimeMillis)
    if (waitMs > patienceMs) {
      return yield* new TooSoon({ peerId, retryAfterSeconds: Math.ceil((waitMs - patienceMs) / 1000) })
    }
    if (callers.size >= maxWaiting) return yield* new TooManyWaiting({ limit: maxWaiting, retryAfterSeconds: 1 })
    const caller: Caller = { job, result: yield* Deferred.make<Probe, NotConnected | NothingToAsk>() }
    callers.add(caller)
    // Whom a turn has taken, it tells: a probe goes on to its end when the connection is lost.
    const lost = Effect.flatMap(untilDown, () => (callers.has(caller) ? gone : Effect.never))
    return yield* Effect.raceFirst(Deferred.await(caller.result), lost).pipe(
      Effect.timeoutFail({
        duration: limitMs,
        onTimeout: () => new ProbeTookTooLong({ peerId, afterSeconds: limitMs / 1000 })
      }),
      Effect.ensuring(Effect.sync(() => callers.delete(caller)))
    )
  })

  return {
    wait,
    notWithin: (time) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        turnAt = now + Duration.toMillis(time)
      }),
    isWaitedFor: () => callers.size > 0,
    wanted: () => Option.fromIterable([...callers].flatMap(({ job }) => Option.toArray(job))),
    serve: (job, turn) =>
      Effect.flatMap(
        take((caller) => Option.match(caller.job, { onNone: () => true, onSome: (wanted) => wanted === job })),
        (tell) =>
          Effect.onExit(
            turn,
            Exit.match({
              onSuccess: ({ probe }) => tell(Effect.succeed(probe)),
              onFailure: (cause) =>
                tell(
                  Option.match(Cause.failureOption(cause), {
                    onNone: () => gone,
                    onSome: ({ message }) => new NothingToAsk({ peerId, reason: message })
                  })
                )
            })
          )
      ),
    refuse: (reason, job = Option.none()) =>
      Effect.flatMap(
        take((caller) => Option.match(job, { onNone: () => true, onSome: (one) => Option.contains(caller.job, one) })),
        (tell) => tell(new NothingToAsk({ peerId, reason }))
      )
  }
}

/** How long a caller waits for a turn to come; one that comes later is not waited for. */
const patienceMs = 20_000
/** For the turn to come, a worker to be free and the probe to end. */
const limitMs = 45_000
/** Callers that wait for one peer. */
const maxWaiting = 64
