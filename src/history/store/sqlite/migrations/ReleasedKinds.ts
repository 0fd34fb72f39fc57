/**
 * The outcomes that there were when the first three migrations were released: what a migration created stays what it
 * was, however the list of outcomes grows.
 */
export const releasedKinds = [
  "success",
  "missing",
  "invalid",
  "unavailable",
  "malformed",
  "timeout",
  "disconnected",
  "refused",
  "unverifiable"
] as const

/** A column for each. */
export const releasedCounts = releasedKinds.map((kind) => `${kind} INTEGER NOT NULL DEFAULT 0`).join(", ")
