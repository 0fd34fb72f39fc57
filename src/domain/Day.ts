/** Days are those of UTC, counted from 1970. */
export const dayMs = 86_400_000

/** The day of a moment in Unix milliseconds. */
export const dayOf = (unixMs: number): number => Math.floor(unixMs / dayMs)

/** The day as `2026-01-31`. */
export const dayName = (day: number): string => new Date(day * dayMs).toISOString().slice(0, 10)

/** The first day of the last while, whole days being counted: what `since` means in questions. */
export const firstDayOf = (now: number, whileMs: number): number => Math.max(0, dayOf(now - whileMs))
