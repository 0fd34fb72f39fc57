/** How long something was up since it was watched. Moments are Unix milliseconds. */
export interface Uptime {
  readonly since: number
  /** Milliseconds, without the time since it came up last. */
  readonly upMs: number
  /** When it came up last; none while it is down. */
  readonly upSince: number | undefined
  /** How often it went down. */
  readonly losses: number
}

/** Watched from this moment on, and down. */
export const startUptime = (since: number): Uptime => ({ since, upMs: 0, upSince: undefined, losses: 0 })

/** As it is from `at` on; the same again changes nothing. */
export const withState = (uptime: Uptime, isUp: boolean, at: number): Uptime => {
  const { losses, upMs, upSince } = uptime
  if (isUp) return upSince === undefined ? { ...uptime, upSince: at } : uptime
  if (upSince === undefined) return uptime
  return { ...uptime, upMs: upMs + Math.max(0, at - upSince), upSince: undefined, losses: losses + 1 }
}

/** The share of the time since it is watched in which it was up, 0 to 1. */
export const upShare = ({ since, upMs, upSince }: Uptime, now: number): number => {
  const up = upMs + (upSince === undefined ? 0 : Math.max(0, now - upSince))
  return now <= since ? Number(upSince !== undefined) : Math.min(1, up / (now - since))
}
