import { Clock, Duration, Effect, type Exit, type Fiber, Scheduler } from "effect"

/**
 * A clock that stands still while anything is left to be done, and then jumps to the next moment that somebody waits
 * for. What runs under it takes as long as it computes, and comes to the same each time. (TestClock does the same for
 * tests, but waits ten real milliseconds at every wake-up, to be sure that all fibers sleep; here the scheduler knows.)
 */
export interface VirtualTime {
  /** Unix milliseconds. */
  readonly now: () => number
  readonly run: <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<A, E>
}

export const makeVirtualTime = (startMs: number): VirtualTime => {
  const timers = makeTimers()
  let now = startMs

  const after = (ms: number, wake: () => void) => timers.add(now + Math.max(0, Math.ceil(ms)), wake)
  const millis = () => now
  const nanos = () => BigInt(now) * 1_000_000n
  const clock: Clock.Clock = {
    [Clock.ClockTypeId]: Clock.ClockTypeId,
    unsafeCurrentTimeMillis: millis,
    unsafeCurrentTimeNanos: nanos,
    currentTimeMillis: Effect.sync(millis),
    currentTimeNanos: Effect.sync(nanos),
    sleep: (duration) =>
      Duration.isFinite(Duration.decode(duration))
        ? Effect.async<void>((resume) => {
            const cancel = after(Duration.toMillis(duration), () => resume(Effect.void))
            return Effect.sync(cancel)
          })
        : Effect.never
  }

  const advance = (): boolean => {
    const timer = timers.take()
    if (timer === undefined) return false
    now = Math.max(now, timer.at)
    timer.wake()
    return true
  }

  /** Returns when the fiber is done. The event loop has its turn before time goes on: some steps wait for that. */
  const drive = <A, E>(fiber: Fiber.RuntimeFiber<A, E>, scheduler: Scheduler.ControlledScheduler) =>
    Effect.async<Exit.Exit<A, E>>((resume) => {
      const drain = (): void => {
        while (scheduler.tasks.buckets.length > 0) scheduler.step()
      }
      const turn = (): void => {
        drain()
        const exit = fiber.unsafePoll()
        if (exit !== null) return resume(Effect.succeed(exit))
        if (!advance()) return resume(Effect.dieMessage("all of the simulation waits for nothing"))
        drain()
        immediate = setImmediate(turn)
      }
      let immediate = setImmediate(turn)
      return Effect.sync(() => clearImmediate(immediate))
    })

  return {
    now: millis,
    run: (effect) =>
      Effect.suspend(() => {
        const scheduler = new Scheduler.ControlledScheduler()
        const timed = effect.pipe(Effect.withClock(clock), Effect.withTracerEnabled(false))
        return Effect.flatten(drive(Effect.runFork(timed, { scheduler }), scheduler))
      })
  }
}

interface Timer {
  readonly at: number
  readonly order: number
  readonly wake: () => void
  isCancelled: boolean
}

/** A binary heap; of one moment, who came first is woken first. */
const makeTimers = () => {
  const heap: Array<Timer> = []
  let order = 0
  const isBefore = (a: Timer, b: Timer): boolean => a.at < b.at || (a.at === b.at && a.order < b.order)

  const place = (index: number, timer: Timer): void => {
    heap[index] = timer
  }
  const up = (from: number, timer: Timer): void => {
    let index = from
    while (index > 0) {
      const parent = (index - 1) >>> 1
      const above = heap[parent]
      if (above === undefined || isBefore(above, timer)) break
      place(index, above)
      index = parent
    }
    place(index, timer)
  }
  const down = (timer: Timer): void => {
    let index = 0
    while (true) {
      const [left, right] = [heap[2 * index + 1], heap[2 * index + 2]]
      if (left === undefined) break
      const isRight = right !== undefined && isBefore(right, left)
      const least = isRight ? right : left
      if (isBefore(timer, least)) break
      place(index, least)
      index = 2 * index + (isRight ? 2 : 1)
    }
    place(index, timer)
  }
  const pop = (): Timer | undefined => {
    const [first] = heap
    const last = heap.pop()
    if (last !== undefined && heap.length > 0) down(last)
    return first
  }

  return {
    add: (at: number, wake: () => void): (() => void) => {
      const timer: Timer = { at, order: order++, wake, isCancelled: false }
      up(heap.length, timer)
      return () => {
        timer.isCancelled = true
      }
    },
    take: (): Timer | undefined => {
      for (let timer = pop(); timer !== undefined; timer = pop()) if (!timer.isCancelled) return timer
      return undefined
    }
  }
}
