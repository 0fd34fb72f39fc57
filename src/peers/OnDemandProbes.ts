import { Cause, Clock, Deferred, Effect, Exit, Option, Ref, Stream, type SubscriptionRef } from "effect"
import type { Probe } from "../domain/probe/Job.ts"
import { NotConnected, NothingToAsk, ProbeTookTooLong, TooSoon } from "../domain/probe/ProbeNow.ts"

/**
 * Callers that want a peer probed. They change nothing about when it is asked: they wait for its actor's next turn,
 * which stays within the same budgets, and all get what comes of it.
 */
export interface Demand {
  /** The next probe of the peer that begins from now on; fails at once when its turn is too far off to wait for. */
  readonly next: Effect.Effect<Probe, NotConnected | NothingToAsk | TooSoon | ProbeTookTooLong>
  /** The actor's next turn does not come within this many milliseconds. */
  readonly notWithin: (ms: number) => Effect.Effect<void>
  /** The actor probes: whoever waits gets what comes of it. */
  readonly answer: <A extends { readonly probe: Probe }, E extends Error, R>(
    turn: Effect.Effect<A, E, R>
  ) => Effect.Effect<A, E, R>
  /** The actor's turn came, and there is nothing to ask. */
  readonly refuse: (reason: string) => Effect.Effect<void>
}

export const makeDemand = (peerId: string, link: SubscriptionRef.SubscriptionRef<boolean>): Effect.Effect<Demand> =>
  Effect.gen(function* () {
    const turnAt = yield* Ref.make(0)
    const callers = new Set<Deferred.Deferred<Probe, NotConnected | NothingToAsk>>()
    const gone = new NotConnected({ peerId })
    const nothing = (reason: string) => new NothingToAsk({ peerId, reason })

    /** Takes all that wait at this moment; gives what tells them. */
    const take = Effect.sync(() => {
      const taken = [...callers]
      callers.clear()
      return (result: Effect.Effect<Probe, NotConnected | NothingToAsk>) =>
        Effect.forEach(taken, (caller) => Deferred.complete(caller, result), { discard: true })
    })

    const linkLost = link.changes.pipe(
      Stream.filter((up) => !up),
      Stream.take(1),
      Stream.runDrain
    )

    const next = Effect.gen(function* () {
      const waitMs = (yield* Ref.get(turnAt)) - (yield* Clock.currentTimeMillis)
      if (waitMs > patienceMs) {
        return yield* new TooSoon({ peerId, retryAfterSeconds: Math.ceil((waitMs - patienceMs) / 1000) })
      }
      const caller = yield* Deferred.make<Probe, NotConnected | NothingToAsk>()
      callers.add(caller)
      // Whom a turn has taken, it tells: a probe goes on to its end when the connection is lost.
      const lost = Effect.flatMap(linkLost, () => (callers.has(caller) ? gone : Effect.never))
      return yield* Effect.raceFirst(Deferred.await(caller), lost).pipe(
        Effect.timeoutFail({
          duration: limitMs,
          onTimeout: () => new ProbeTookTooLong({ peerId, afterSeconds: limitMs / 1000 })
        }),
        Effect.ensuring(Effect.sync(() => callers.delete(caller)))
      )
    })

    return {
      next,
      notWithin: (ms) => Effect.flatMap(Clock.currentTimeMillis, (now) => Ref.set(turnAt, now + ms)),
      answer: (turn) =>
        Effect.flatMap(take, (tell) =>
          Effect.onExit(
            turn,
            Exit.match({
              onSuccess: ({ probe }) => tell(Effect.succeed(probe)),
              onFailure: (cause) =>
                tell(
                  Option.match(Cause.failureOption(cause), { onNone: () => gone, onSome: (e) => nothing(e.message) })
                )
            })
          )
        ),
      refuse: (reason) => Effect.flatMap(take, (tell) => tell(nothing(reason)))
    }
  })

/** How long a caller waits for a turn to come; one that comes later is not waited for. */
const patienceMs = 20_000
/** For the turn to come, a worker to be free and the probe to end. */
const limitMs = 45_000
