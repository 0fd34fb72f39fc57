import { Duration, Effect } from "effect"
import { ReportError } from "./Reports.ts"

export interface ReportLimits {
  /** For one answer, waiting for its turn included. Default 10 s. */
  readonly answerLimit?: Duration.DurationInput
  /** Questions that are asked and not answered yet; beyond it a question is turned away. Default 32. */
  readonly waiting?: number
}

/** Lets only so many questions wait, and each only so long. */
export const makeGate = (options: ReportLimits) => {
  const answerLimit = Duration.decode(options.answerLimit ?? "10 seconds")
  const most = options.waiting ?? 32
  const state = { waiting: 0 }
  const gate = <A, E>(answer: Effect.Effect<A, E>): Effect.Effect<A, E | ReportError> =>
    Effect.suspend(() => {
      if (state.waiting >= most) {
        return new ReportError({ fault: "busy", reason: `${most} questions wait already: ask again later` })
      }
      state.waiting++
      return answer.pipe(
        // Nobody waits for a thread to let go of what is given up.
        Effect.disconnect,
        Effect.timeoutFail({
          duration: answerLimit,
          onTimeout: () =>
            new ReportError({ fault: "late", reason: `no answer within ${Duration.format(answerLimit)}` })
        }),
        Effect.ensuring(Effect.sync(() => state.waiting--))
      )
    })
  return { answerLimit, gate }
}
