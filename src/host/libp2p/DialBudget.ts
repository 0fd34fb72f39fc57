import {
  Array,
  Clock,
  Deferred,
  Duration,
  Effect,
  Exit,
  Fiber,
  FiberId,
  Metric,
  Option,
  Schedule,
  type Scope
} from "effect"
import { dialsWaiting } from "../../domain/metrics/Metrics.ts"
import { daemon } from "../../runtime/Daemon.ts"
import { type DialError, NotDialled } from "../Host.ts"

/**
 * Dials under way at once are few; the others wait here, on nobody's account, and first come is first served. libp2p
 * has such a queue too, but there a peer would pay for the wait with its own time limit, and for a full queue.
 */
export interface DialBudget<A> {
  /**
   * The peer's connection: that which it has, or what `dial` gives once it is its turn. However many ask for one peer,
   * it is dialled once, by what the first of them brought; it is no longer dialled when none of them waits any more.
   */
  readonly connect: (peerId: string, dial: Effect.Effect<A, DialError>) => Effect.Effect<A, DialError>
  /** Who waits for a peer that has come by itself need not wait for its turn. */
  readonly arrived: (peerId: string) => Effect.Effect<void>
}

export interface DialBudgetOptions<A> {
  /** Dials under way at once. */
  readonly atOnce: number
  /** A peer whose turn has not come by then fails with `NotDialled`; to a second. */
  readonly longestWait: Duration.Duration
  /** The connection that a peer has. */
  readonly existing: (peerId: string) => Option.Option<A>
}

/** When the scope closes, the dials are interrupted, and whoever waits for one fails with `NotDialled`. */
export const makeDialBudget = <A>(options: DialBudgetOptions<A>): Effect.Effect<DialBudget<A>, never, Scope.Scope> =>
  Effect.gen(function* () {
    const scope = yield* Effect.scope
    /** Those that may still be waited for. */
    const dials = new Map<string, Dial<A>>()
    /** Of these, those whose turn has not come, in the order of their coming. */
    const waiting = new Set<Dial<A>>()
    let underWay = 0
    let counted = 0

    const remove = (dial: Dial<A>): void => {
      if (dials.get(dial.peerId) === dial) dials.delete(dial.peerId)
      waiting.delete(dial)
    }
    const count = Effect.suspend(() => {
      const change = waiting.size - counted
      counted = waiting.size
      return Metric.incrementBy(dialsWaiting, change)
    })

    /** Gives turns as long as there are any. Where the scope is closed, a dial ends before it begins. */
    const proceed: Effect.Effect<void> = Effect.suspend(() => {
      const [dial] = waiting
      if (dial === undefined || underWay >= options.atOnce) return count
      waiting.delete(dial)
      underWay++
      return dial.work.pipe(
        Effect.interruptible,
        Effect.exit,
        Effect.flatMap((exit) => {
          underWay--
          remove(dial)
          return Deferred.done(dial.result, Exit.isInterrupted(exit) ? Exit.fail(stopped) : exit)
        }),
        Effect.zipRight(proceed),
        Effect.forkIn(scope),
        Effect.flatMap((fiber) => {
          dial.fiber = Option.some(fiber)
          return proceed
        })
      )
    }).pipe(Effect.uninterruptible)

    const join = (peerId: string, work: Effect.Effect<A, DialError>) =>
      Effect.flatMap(Clock.currentTimeMillis, (since) => {
        const known = dials.get(peerId)
        if (known !== undefined) {
          known.asking++
          return Effect.succeed(known)
        }
        const result = Deferred.unsafeMake<A, DialError>(FiberId.none)
        const dial: Dial<A> = { peerId, work, since, result, asking: 1, fiber: Option.none() }
        dials.set(peerId, dial)
        waiting.add(dial)
        return Effect.as(proceed, dial)
      })
    const part = (dial: Dial<A>) =>
      Effect.suspend(() => {
        if (--dial.asking > 0) return Effect.void
        remove(dial)
        return Effect.zipRight(count, Effect.transposeMapOption(dial.fiber, Fiber.interrupt))
      })
    /** For a peer that waits: its turn will not come. */
    const settle = (dial: Dial<A>, exit: Exit.Exit<A, DialError>) =>
      Effect.suspend(() => {
        remove(dial)
        return Effect.zipRight(Deferred.done(dial.result, exit), count)
      })

    const giveUp = Effect.flatMap(Clock.currentTimeMillis, (now) =>
      Effect.forEach(
        Array.takeWhile(waiting, ({ since }) => now - since >= Duration.toMillis(options.longestWait)),
        (dial) => settle(dial, Exit.fail(tooLate(options.longestWait))),
        { discard: true }
      )
    )
    yield* daemon("the watch over waiting dials", giveUp, Schedule.spaced("1 second"))

    return {
      connect: (peerId, work) =>
        Effect.suspend(() =>
          Option.match(options.existing(peerId), {
            onSome: Effect.succeed,
            onNone: () => Effect.acquireUseRelease(join(peerId, work), ({ result }) => Deferred.await(result), part)
          })
        ),
      arrived: (peerId) =>
        Effect.suspend(() => {
          const dial = dials.get(peerId)
          // One that is under way ends by itself.
          return dial === undefined || !waiting.has(dial)
            ? Effect.void
            : Option.match(options.existing(peerId), {
                onNone: () => Effect.void,
                onSome: (connection) => settle(dial, Exit.succeed(connection))
              })
        })
    }
  })

interface Dial<A> {
  readonly peerId: string
  readonly work: Effect.Effect<A, DialError>
  /** Unix milliseconds. */
  readonly since: number
  readonly result: Deferred.Deferred<A, DialError>
  /** How many wait for it. */
  asking: number
  /** While it is under way. */
  fiber: Option.Option<Fiber.RuntimeFiber<unknown>>
}

const stopped = new NotDialled({ detail: "the node is being stopped" })

const tooLate = (waited: Duration.Duration) =>
  new NotDialled({ detail: `its turn did not come within ${Duration.format(waited)}` })
