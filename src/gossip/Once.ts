import { Deferred, Effect, type Scope } from "effect"

/** Finds something out once for all who come meanwhile, whoever of them leaves before it is done. */
export interface Once<A> {
  /** `place` is given back at the end; where there is none, it is `crowded`. */
  readonly find: (key: string, place: () => (() => void) | undefined, find: Effect.Effect<A>) => Effect.Effect<A>
}

export const makeOnce = <A>(crowded: A): Effect.Effect<Once<A>, never, Scope.Scope> =>
  Effect.map(Effect.scope, (scope) => {
    const underWay = new Map<string, Deferred.Deferred<A>>()
    return {
      find: (key, place, find) =>
        Effect.suspend(() => {
          const known = underWay.get(key)
          if (known !== undefined) return Deferred.await(known)
          const release = place()
          if (release === undefined) return Effect.succeed(crowded)
          return Effect.gen(function* () {
            const deferred = yield* Deferred.make<A>()
            underWay.set(key, deferred)
            const end = Effect.sync(() => {
              underWay.delete(key)
              release()
            })
            yield* find.pipe(Effect.ensuring(end), Effect.intoDeferred(deferred), Effect.forkIn(scope))
            return yield* Deferred.await(deferred)
          })
        })
    }
  })
