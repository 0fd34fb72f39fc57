import { afterAll, beforeAll, describe, it } from "@effect/vitest"
import { Effect, type Layer, ManagedRuntime, type Scope } from "effect"

type Body<R, Arguments extends ReadonlyArray<unknown>> = (
  ...parameters: Arguments
) => Effect.Effect<unknown, unknown, R | Scope.Scope>

/** Tests over one layer that is built once, in real time. */
export interface SharedTests<R> {
  readonly live: (name: string, body: Body<R, []>, timeout?: number) => void
  readonly each: <A>(cases: ReadonlyArray<A>) => (name: string, body: Body<R, [A]>, timeout?: number) => void
}

/**
 * A group of tests over one layer. (`layer` of @effect/vitest does the same, but changes the `it` of every other file
 * in the process.)
 */
export const shared = <R, E>(name: string, layer: Layer.Layer<R, E>, define: (tests: SharedTests<R>) => void): void => {
  describe(name, () => {
    const runtime = ManagedRuntime.make(layer)
    const run = (effect: Effect.Effect<unknown, unknown, R | Scope.Scope>, signal: AbortSignal) =>
      runtime.runPromise(Effect.asVoid(Effect.scoped(effect)), { signal })
    beforeAll(() => runtime.runPromise(Effect.void))
    afterAll(() => runtime.dispose())
    define({
      live: (name, body, timeout) => it(name, ({ signal }) => run(body(), signal), timeout),
      each: (cases) => (name, body, timeout) =>
        it.for([...cases])(name, timeout === undefined ? {} : { timeout }, (one, { signal }) => run(body(one), signal))
    })
  })
}
