import { Effect, type Scope } from "effect"

/**
 * A few permits for each key, kept only while someone holds or wants one. (`RcMap` of Effect 3.22 looks a key up before
 * it waits for its own lock: two that come together may get two semaphores, and twice the permits.)
 */
export interface RequestPermits {
  /** Takes a permit of `key`, waiting for one, and gives it back with the scope. */
  readonly take: (key: string) => Effect.Effect<void, never, Scope.Scope>
}

export const makeRequestPermits = (permits: number): RequestPermits => {
  const kept = new Map<string, { readonly semaphore: Effect.Semaphore; users: number }>()
  const enter = (key: string) => {
    const entry = kept.get(key) ?? { semaphore: Effect.unsafeMakeSemaphore(permits), users: 0 }
    kept.set(key, entry)
    entry.users++
    return entry
  }
  const leave = (key: string): void => {
    const entry = kept.get(key)
    if (entry !== undefined && --entry.users === 0) kept.delete(key)
  }
  return {
    take: (key) =>
      Effect.gen(function* () {
        const { semaphore } = yield* Effect.acquireRelease(
          Effect.sync(() => enter(key)),
          () => Effect.sync(() => leave(key))
        )
        yield* Effect.uninterruptibleMask((restore) =>
          Effect.zipRight(
            restore(semaphore.take(1)),
            Effect.addFinalizer(() => semaphore.release(1))
          )
        )
      })
  }
}
