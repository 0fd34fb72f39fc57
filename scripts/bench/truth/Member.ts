import type { MakeConduct } from "./Conduct.ts"
import type { Liar } from "./Liars.ts"

/** One peer of a fleet, by what it is. */
export interface Member {
  /** `broken file`: honest, but some of its slots really are not served. */
  readonly kind: "honest" | "broken file" | "liar"
  readonly conducts: ReadonlyArray<MakeConduct>
  readonly liar?: Liar
}
