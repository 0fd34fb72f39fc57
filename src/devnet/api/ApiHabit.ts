/**
 * How a Beacon API behaves: by the book, as a real client does, as one that was synced from a checkpoint, or as one in
 * trouble.
 */
export const apiHabits = ["plain", "like-lodestar", "like-prysm", "checkpoint", "errors"] as const
export type ApiHabit = (typeof apiHabits)[number]
