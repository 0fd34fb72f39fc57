import type { ClientFamily } from "../peer/ClientFamily.ts"
import type { PeerId } from "../Primitives.ts"
import type { Witness } from "./ChooseWitnesses.ts"

/**
 * What one peer's answer said of one column. `present`: it came and verified. `absent`: the peer owes it, says that it has
 * reached the slot, answered in good order, late enough for a column to be there, and left it out. `early`: the same, too
 * early to count. `unanswered`: anything else, whoever's fault.
 */
export type Answer = "present" | "absent" | "early" | "unanswered"

/** What peers said of one column. */
export interface ColumnEvidence {
  readonly column: number
  /** The newest answer of each peer that was asked. */
  readonly answers: ReadonlyMap<PeerId, { readonly witness: Witness; readonly answer: Answer }>
  /** Connected peers that claim to keep it. */
  readonly owedBy: ReadonlyArray<Witness>
}

/** `open`: neither. */
export type ColumnState = "present" | "absent" | "open"

/**
 * Whether a column is there, is not, or is not known to be either. One peer that delivered it is enough; that it is absent
 * takes `leastPeers` that answered without it, of two client families and from two address groups where those that owe it
 * are of several.
 */
export const columnStateOf = ({ answers, owedBy }: ColumnEvidence): ColumnState => {
  const without: Array<Witness> = []
  for (const { answer, witness } of answers.values()) {
    if (answer === "present") return "present"
    if (answer === "absent") without.push(witness)
  }
  if (without.length < leastPeers) return "open"
  const all = [...owedBy, ...Array.from(answers.values(), ({ witness }) => witness)]
  const areDiverse =
    familiesOf(without).size >= Math.min(2, familiesOf(all).size) &&
    groupsOf(without).size >= Math.min(2, groupsOf(all).size)
  return areDiverse ? "absent" : "open"
}

/** Of an unknown client, or one that is not told apart, nothing follows. */
export const familiesOf = (witnesses: ReadonlyArray<Witness>): ReadonlySet<ClientFamily> =>
  new Set(witnesses.map(({ family }) => family).filter((family) => family !== "unknown" && family !== "other"))

export const groupsOf = (witnesses: ReadonlyArray<Witness>): ReadonlySet<string> =>
  new Set(witnesses.map(({ group }) => group))

/** Peers that must have answered without a column before it counts as absent. */
export const leastPeers = 3
