import { Array, type Duration, Effect, Either, Exit, Fiber, Option } from "effect"

/**
 * Makes all attempts at once, and gives the first success in the order of preference: once any has succeeded, those before it
 * have `patience` to do so too. The others are given up. Fails, with all failures in their order, when every attempt has.
 */
export const firstInOrder = <A, E, R>(
  attempts: ReadonlyArray<Effect.Effect<A, E, R>>,
  patience: Duration.DurationInput
): Effect.Effect<A, ReadonlyArray<E>, R> =>
  Effect.scoped(
    Effect.gen(function* () {
      const fibers = yield* Effect.forEach(attempts, (attempt) => Effect.forkScoped(Effect.either(attempt)))
      const inOrder = Effect.gen(function* () {
        const failures: Array<E> = []
        for (const fiber of fibers) {
          const answer = yield* Fiber.join(fiber)
          if (Either.isRight(answer)) return answer.right
          failures.push(answer.left)
        }
        return yield* Effect.fail(failures)
      })
      const firstDone = Effect.flatMap(Effect.forEach(fibers, Fiber.poll), (exits) =>
        Array.findFirst(exits, (exit) =>
          Option.isSome(exit) && Exit.isSuccess(exit.value) ? Either.getRight(exit.value.value) : Option.none()
        )
      )
      const any =
        fibers.length === 0 ? Effect.never : Effect.raceAll(fibers.map((fiber) => Effect.flatten(Fiber.join(fiber))))
      const inTime = Effect.zipRight(any, Effect.delay(firstDone, patience))
      return yield* Effect.raceFirst(
        inOrder,
        Effect.orElse(inTime, () => Effect.never)
      )
    })
  )
