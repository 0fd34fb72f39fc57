import type { Claim } from "../domain/peer/Claim.ts"

/** One thing that a peer says of itself otherwise to one identity than to the other. */
export interface ClaimDifference {
  readonly field: ClaimField
  /** How what the second was told lies to what the first was told just before and just after. */
  readonly side: Side
  /** For a person: "8 custody groups to the first identity, 4 to the second". */
  readonly detail: string
}

type Side = "above" | "below" | "other"

type ClaimField = "custody" | "earliest" | "sequence" | "digest" | "head" | "finality"

interface Compared {
  readonly field: ClaimField
  readonly of: (claim: Claim) => number | string | null
  /** How far apart the numbers may be of an honest peer at about the same time. */
  readonly tolerance: number
  readonly show: (value: number | string | null) => string
}

/** Slots: what a head moves in the time between the questions, and one epoch by which some clients round their claim. */
const slotTolerance = 32
/** Epochs: what a peer may lag behind finality while its head does not (`probe/Finality`). */
const epochTolerance = 8

const compared: ReadonlyArray<Compared> = [
  {
    field: "custody",
    of: ({ custodyGroupCount }) => custodyGroupCount,
    tolerance: 0,
    show: (value) => `${value} custody groups`
  },
  {
    field: "earliest",
    of: ({ earliestAvailableSlot }) => earliestAvailableSlot,
    tolerance: slotTolerance,
    show: (value) => (value === null ? "no earliest available slot" : `earliest available slot ${value}`)
  },
  {
    field: "sequence",
    of: ({ sequenceNumber }) => sequenceNumber,
    tolerance: 0,
    show: (value) => (value === null ? "no sequence number" : `sequence number ${value}`)
  },
  { field: "digest", of: ({ forkDigest }) => forkDigest, tolerance: 0, show: (value) => `fork digest ${value}` },
  { field: "head", of: ({ headSlot }) => headSlot, tolerance: slotTolerance, show: (value) => `head slot ${value}` },
  {
    field: "finality",
    of: ({ finalized }) => finalized?.epoch ?? null,
    tolerance: epochTolerance,
    show: (value) => (value === null ? "no finalized checkpoint" : `finalized epoch ${value}`)
  }
]

/**
 * What the second identity was told otherwise than the first was before it and after it. What moves meanwhile, as an
 * honest peer's claim does, lies between the two and is no difference.
 */
export const claimDifferences = (before: Claim, second: Claim, after: Claim): ReadonlyArray<ClaimDifference> =>
  compared.flatMap(({ field, of, show, tolerance }) => {
    const side = sideOf([of(before), of(after)], of(second), tolerance)
    const detail = `${show(of(after))} to the first identity, ${show(of(second))} to the second`
    return side === undefined ? [] : [{ field, side, detail }]
  })

/** Those that were so before too, and the same way. */
export const sameDifferences = (
  before: ReadonlyArray<ClaimDifference>,
  now: ReadonlyArray<ClaimDifference>
): ReadonlyArray<ClaimDifference> =>
  now.filter(({ field, side }) => before.some((one) => one.field === field && one.side === side))

const sideOf = (
  first: readonly [number | string | null, number | string | null],
  second: number | string | null,
  tolerance: number
): Side | undefined => {
  const numbers = first.filter((value) => typeof value === "number")
  if (typeof second === "number" && numbers.length === first.length) {
    if (second > Math.max(...numbers) + tolerance) return "above"
    return second < Math.min(...numbers) - tolerance ? "below" : undefined
  }
  return first.includes(second) || (first[0] === null) !== (first[1] === null) ? undefined : "other"
}
