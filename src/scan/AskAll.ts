import { Effect } from "effect"
import type { Slot } from "../domain/Primitives.ts"
import { untilAfforded } from "./Affordable.ts"
import type { Questions } from "./Questions.ts"
import type { Subject } from "./Subject.ts"

/** Columns in one question, at most. */
const mostColumns = 64

/**
 * The first conversation: every slot by itself, in as few questions as the peer's client allows. Ends early when the peer
 * gives up on us, or we on it.
 */
export const askAll = Effect.fn("Scan.askAll")(function* (
  { address: { peerId }, tell }: Subject,
  questions: Questions,
  slots: ReadonlyArray<Slot>
) {
  const pieces = Effect.map(
    untilAfforded((now) => questions.budget.sampling(now, true)),
    ({ maxCombinations }) => Math.min(maxCombinations, mostColumns)
  )
  for (const [index, startSlot] of slots.entries()) {
    let rest = questions.columnsOf(startSlot)
    yield* tell({ stage: "asking", detail: `slot ${startSlot}, ${index + 1} of ${slots.length}` })
    while (rest.length > 0) {
      const columns = rest.slice(0, yield* pieces)
      if (!(yield* questions.ask({ peerId, startSlot, count: 1, columns }, []))) return
      rest = rest.slice(columns.length)
    }
  }
})
