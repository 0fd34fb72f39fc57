import type { FindingCounts } from "./Finding.ts"

/**
 * Whether a peer has taken back again and again what it had claimed. It is no witness of what a block lacks, since it need not owe it a
 * moment later; and each question gives it a reason to move, so that those that would settle what it is suspected of are
 * never put.
 */
export const movesClaim = ({ claim_retracted = 0, custody_count_decreased = 0 }: FindingCounts): boolean =>
  claim_retracted + custody_count_decreased >= oftenEnough

/** An operator may lower it once, and a restart may do so once more. */
const oftenEnough = 3
