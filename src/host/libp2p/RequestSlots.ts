import { Effect, type Scope } from "effect"

/** A few permits for each key, kept only while someone holds or wants one. */
export interface RequestSlots {
  /** Takes a permit of `key`, waiting for one, and gives it back with the scope. */
  readonly take: (key: string) => Effect.Effect<void, never, Scope.Scope>
}

export const makeRequestSlots = (permits: number): RequestSlots => {
  const slots = new Map<string, { readonly semaphore: Effect.Semaphore; users: number }>()
  const enter = (key: string) => {
    const slot = slots.get(key) ?? { semaphore: Effect.unsafeMakeSemaphore(permits), users: 0 }
    slots.set(key, slot)
    slot.users++
    return slot
  }
  const leave = (key: string): void => {
    const slot = slots.get(key)
    if (slot !== undefined && --slot.users === 0) slots.delete(key)
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
