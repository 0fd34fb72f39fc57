import { Deferred, Effect, FiberId } from "effect"

/** Who holds a part of the budget. */
export interface Holder {
  held: number
}

/** Memory that is shared: first come, first served, so that one who wants much waits, and is not passed by for ever. */
export interface ByteBudget {
  /**
   * Waits until there is room for `bytes`, at most the whole budget, and gives it to `holder`; `whenFull` is run when it
   * has to be waited for.
   */
  readonly take: (holder: Holder, bytes: number, whenFull: Effect.Effect<void>) => Effect.Effect<void>
  /** Takes back all that `holder` has, and gives it nothing any more that it still waits for. */
  readonly release: (holder: Holder) => Effect.Effect<void>
  /** What whoever waits first lacks; 0 if nobody waits. */
  readonly lacking: () => number
}

export const makeByteBudget = (total: number): ByteBudget => {
  const waiting = new Map<Deferred.Deferred<void>, { readonly holder: Holder; readonly bytes: number }>()
  let free = total

  const grant = (holder: Holder, bytes: number): void => {
    free -= bytes
    holder.held += bytes
  }

  const serve: Effect.Effect<void> = Effect.suspend(() => {
    const [next] = waiting
    if (next === undefined || next[1].bytes > free) return Effect.void
    const [turn, { bytes, holder }] = next
    waiting.delete(turn)
    grant(holder, bytes)
    return Effect.zipRight(Deferred.succeed(turn, undefined), serve)
  })

  return {
    take: (holder, wanted, whenFull) =>
      Effect.suspend(() => {
        const bytes = Math.min(wanted, total)
        if (waiting.size === 0 && bytes <= free) {
          grant(holder, bytes)
          return Effect.void
        }
        const turn = Deferred.unsafeMake<void>(FiberId.none)
        waiting.set(turn, { holder, bytes })
        // What was given in the moment of an interruption is the holder's, and released with the rest.
        return Effect.onInterrupt(Effect.zipRight(whenFull, Deferred.await(turn)), () =>
          Effect.when(serve, () => waiting.delete(turn))
        )
      }),
    release: (holder) =>
      Effect.suspend(() => {
        free += holder.held
        holder.held = 0
        // A probe that was left to end by itself (`Effect.disconnect`) may not have heard yet that it is over.
        for (const [turn, entry] of waiting) if (entry.holder === holder) waiting.delete(turn)
        return serve
      }),
    lacking: () => {
      const [next] = waiting.values()
      return next === undefined ? 0 : next.bytes - free
    }
  }
}
