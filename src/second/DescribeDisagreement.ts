import { Option } from "effect"
import type { ClaimDifference } from "./CompareClaims.ts"
import type { Held } from "./Subject.ts"

/** A sentence with both answers; none if nothing is left of the disagreement. `held` is what the first identity came to. */
export const describeDisagreement = (disagreement: {
  readonly held: ReadonlyArray<Held>
  readonly differences: ReadonlyArray<ClaimDifference>
}): Option.Option<string> => {
  const [one, ...more] = disagreement.held
  const columns =
    one === undefined
      ? []
      : [
          `column ${one.column} of slot ${one.slot}${more.length === 0 ? "" : ` (and ${more.length} more)`} came, verified, ` +
            (one.has ? "to the first identity, and not to the second" : "to the second identity, and not to the first")
        ]
  const parts = [...columns, ...disagreement.differences.map(({ detail }) => `it says ${detail}`)]
  return parts.length === 0
    ? Option.none()
    : Option.some(`${parts.join("; ")}; and so again when both were asked once more`)
}
