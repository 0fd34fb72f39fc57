import { Effect, Option } from "effect"
import type { SlotColumns } from "../domain/column/ColumnResponse.ts"
import { columnsByRoot } from "../wire/Requests.ts"
import { type Blocks, identifiers, undelivered } from "./Conversation.ts"
import { type Line, type Received, requestColumns } from "./RequestColumns.ts"

/** What came of a question by root. */
export interface AskedByRoot {
  /** One answer, or two. */
  readonly received: readonly [Received, ...ReadonlyArray<Received>]
  /** The last of them. */
  readonly last: Received
  /** What the peer left out, although it was free to begin with it. */
  readonly left: ReadonlyArray<SlotColumns>
}

/**
 * Asks for columns by their blocks' roots. An answer by root may legally end anywhere, also inside a block: what it left of
 * a block that it had begun is asked for once more, alone. Of that too it may bring a part only, or nothing since the
 * stream breaks: the rest is untested then. What it leaves out as a whole is left out.
 */
export const askByRoot = Effect.fnUntraced(function* (line: Line, blocks: Blocks, due: ReadonlyArray<SlotColumns>) {
  const ask = (asked: ReadonlyArray<SlotColumns>) =>
    requestColumns(
      line,
      columnsByRoot(identifiers(blocks, asked), line.sizes.byRoot(asked)),
      { _tag: "ByRoot", blocks: asked },
      asked
    )
  const first = yield* ask(due)
  const left = undelivered(first, due)
  const begun = isWhole(first) ? left.filter(isBegun(first)) : []
  if (begun.length === 0) return { received: [first], last: first, left } satisfies AskedByRoot
  const again = yield* ask(begun)
  const untouched = isWhole(again) ? undelivered(again, begun).filter((entry) => !isBegun(again)(entry)) : []
  const isStill = new Set(untouched.map(({ slot }) => slot))
  const isCutInside = new Set(begun.map(({ slot }) => slot).filter((slot) => !isStill.has(slot)))
  return {
    received: [first, again],
    last: again,
    left: left.filter(({ slot }) => !isCutInside.has(slot))
  } satisfies AskedByRoot
})

/** The peer ended the answer itself, and cleanly. */
const isWhole = ({ cut, error }: Received): boolean => Option.isNone(cut) && Option.isNone(error)

/** Whether something of the block came. */
const isBegun =
  ({ delivered }: Received) =>
  ({ slot }: SlotColumns): boolean =>
    delivered.some((sidecar) => sidecar.slot === slot)
