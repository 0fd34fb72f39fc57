/**
 * How a Beacon API behaves: by the book, as a real client does, as one that was synced from a checkpoint, as one in
 * trouble, or as one that must not be gone by: it says that it is syncing, or optimistic, or has finalized other blocks.
 */
export const apiHabits = [
  "plain",
  "like-lodestar",
  "like-prysm",
  "checkpoint",
  "errors",
  "syncing",
  "optimistic",
  "forked"
] as const
export type ApiHabit = (typeof apiHabits)[number]
