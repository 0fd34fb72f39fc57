import { Effect } from "effect"

/**
 * An effect to run between the steps of long synchronous work: once the work has held the thread for `holdMs`, timers
 * and sockets get their turn.
 */
export const makeYielder = (holdMs: number): Effect.Effect<void> => {
  let since = performance.now()
  return Effect.suspend(() => {
    if (performance.now() - since < holdMs) return Effect.void
    return Effect.async<void>((resume) => {
      const immediate = setImmediate(() => {
        since = performance.now()
        resume(Effect.void)
      })
      return Effect.sync(() => clearImmediate(immediate))
    })
  })
}
