import { Deferred, type Duration, Effect, FiberId, Option } from "effect"

/**
 * A few permits and those that wait for one: first come, first served, whoever is `urgent` before all others; whoever is
 * to be `last` only while nobody else waits, and of them only some at a time, those `behind` after the others.
 *
 * A queue of our own: Effect's `PartitionedSemaphore` (3.22) loses a permit whose waiter is interrupted in the moment in
 * which it is given one, and its `Semaphore` wakes all that wait, thousands, for each permit.
 */
export interface Turns {
  /**
   * Takes a permit, waiting for one within `restore`, in which it can be interrupted: it has none then. To be called
   * where nothing else can be interrupted, so that what was taken is given back. False where it was waited for too long.
   */
  readonly take: (restore: Restore, how?: Waiting) => Effect.Effect<boolean>
  readonly giveBack: (isLast?: boolean) => Effect.Effect<void>
  /** Takes a permit if one is free and nobody waits. */
  readonly takeNow: () => boolean
  /** From here on none is given: who waits, or comes, waits until it is interrupted. */
  readonly close: Effect.Effect<void>
}

interface Waiting {
  readonly isLast?: boolean
  /** Of those that are last, after the others. */
  readonly isBehind?: boolean
  readonly isUrgent?: boolean
  /** As long as it takes if left out. */
  readonly within?: Duration.Duration
}

type Restore = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

interface TurnsOptions {
  /** How many of those that are to be last have a permit at a time; 1 if left out. */
  readonly lastAtOnce?: number
  /** Runs around every wait. */
  readonly waiting?: Restore
}

export const makeTurns = (
  permits: number,
  { lastAtOnce = 1, waiting = (effect) => effect }: TurnsOptions = {}
): Turns => {
  const urgent = new Set<Deferred.Deferred<void>>()
  const first = new Set<Deferred.Deferred<void>>()
  const last = new Set<Deferred.Deferred<void>>()
  const behind = new Set<Deferred.Deferred<void>>()
  let free = permits
  let lastAtWork = 0
  let isClosed = false

  const isFree = (isLast: boolean): boolean =>
    !isClosed &&
    free > 0 &&
    urgent.size + first.size === 0 &&
    !(isLast && (lastAtWork >= lastAtOnce || last.size + behind.size > 0))

  const grant = (isLast: boolean): void => {
    free--
    if (isLast) lastAtWork++
  }

  /** Takes out who is next, if there is a permit for it. */
  const nextInTurn = (): Deferred.Deferred<void> | undefined => {
    const isLast = urgent.size + first.size === 0
    const queue = [urgent, first, last].find(({ size }) => size > 0) ?? behind
    const [next] = queue
    if (next === undefined || isClosed || free === 0 || (isLast && lastAtWork >= lastAtOnce)) return undefined
    queue.delete(next)
    grant(isLast)
    return next
  }

  /** Gives what is free to those that wait. */
  const serve: Effect.Effect<void> = Effect.suspend(() => {
    const next = nextInTurn()
    return next === undefined ? Effect.void : Effect.zipRight(Deferred.succeed(next, undefined), serve)
  })

  const giveBack = (isLast = false): Effect.Effect<void> =>
    Effect.suspend(() => {
      free++
      if (isLast) lastAtWork--
      return serve
    })

  return {
    take: (restore, { isBehind = false, isLast = false, isUrgent = false, within } = {}) =>
      Effect.suspend(() => {
        if (isFree(isLast)) {
          grant(isLast)
          return Effect.succeed(true)
        }
        const queue = isLast ? (isBehind ? behind : last) : isUrgent ? urgent : first
        const turn = Deferred.unsafeMake<void>(FiberId.none)
        queue.add(turn)
        const wait = Deferred.await(turn)
        const inTime = within === undefined ? Effect.asSome(wait) : Effect.timeoutOption(wait, within)
        return waiting(
          Effect.onInterrupt(restore(inTime), () =>
            // Who is interrupted when the turn has come already passes it on; who leaves the queue may have held up others.
            queue.delete(turn) ? serve : giveBack(isLast)
          )
        ).pipe(
          // A turn that comes in the moment in which it is too late has come.
          Effect.flatMap((taken) =>
            Option.isNone(taken) && queue.delete(turn) ? Effect.as(serve, false) : Effect.succeed(true)
          )
        )
      }),
    giveBack,
    takeNow: () => {
      if (!isFree(false)) return false
      grant(false)
      return true
    },
    close: Effect.sync(() => {
      isClosed = true
    })
  }
}
