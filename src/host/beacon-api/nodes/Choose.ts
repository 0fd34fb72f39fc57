import type { BeaconNodeCondition } from "../../../domain/network/BeaconNodeState.ts"

/** What the choice goes by, of each node in the order of preference. */
export interface Choosable {
  readonly role: "main" | "backfill"
  readonly condition: BeaconNodeCondition
  /** Looks in a row that found it well. */
  readonly wellLooks: number
}

/** A node before the one in use is gone back to when it was found well so often in a row. */
const looksToReturn = 2

/**
 * Which node is followed, by its place: that in use for as long as it is well and no better one has come back, else the
 * first one that is well; -1 for none.
 */
export const chooseInUse = (nodes: ReadonlyArray<Choosable>, inUse: number): number => {
  const first = nodes.findIndex(isWell)
  const current = nodes[inUse]
  if (current === undefined || !isWell(current)) return first
  const better = nodes.findIndex((node, place) => place < inUse && isWell(node) && node.wellLooks >= looksToReturn)
  return better === -1 ? inUse : better
}

/** In a condition that says nothing against what the node told of its chain before, or may tell when it is asked. */
export const isTrusted = (condition: BeaconNodeCondition): boolean => trusted.some((one) => one === condition)

const trusted = ["well", "behind", "unreachable", "unusable"] as const

const isWell = ({ condition, role }: Choosable): boolean => role === "main" && condition === "well"

/**
 * Whom to ask, by their places, the best first: the one in use, the others that are well, and those that are behind.
 * Where there is none of them, those that were not reached. The node for the backfill comes last. One that cannot be
 * trusted is never asked.
 */
export const orderOf = (nodes: ReadonlyArray<Choosable>, inUse: number): ReadonlyArray<number> => {
  const places = (role: Choosable["role"], ...conditions: ReadonlyArray<BeaconNodeCondition>) =>
    nodes.flatMap((node, place) =>
      place !== inUse && node.role === role && conditions.includes(node.condition) ? [place] : []
    )
  const good = [...(inUse === -1 ? [] : [inUse]), ...places("main", "well"), ...places("main", "behind")]
  return [...(good.length > 0 ? good : places("main", ...trusted)), ...places("backfill", ...trusted)]
}
