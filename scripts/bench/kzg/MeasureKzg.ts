import { Effect, Schema } from "effect"
import { firstLineOf } from "../FirstLine.ts"
import { KzgMeasured, KzgQuestion } from "./Measured.ts"

/** Measures one library, in a process of its own that has ended when this returns. */
export const measureKzg = (question: typeof KzgQuestion.Type): Effect.Effect<KzgMeasured, unknown> =>
  Effect.scoped(
    Effect.gen(function* () {
      const asked = yield* Schema.encode(KzgQuestion)(question)
      const line = yield* firstLineOf(new URL("./KzgPart.js", import.meta.url), [asked], "5 minutes")
      return yield* Schema.decode(KzgMeasured)(line)
    })
  )
