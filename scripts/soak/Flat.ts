/** What was looked at every few seconds. */
export interface Sample {
  /** Milliseconds since the run began. */
  readonly at: number
  readonly values: Readonly<Record<Measured, number>>
}

export type Measured = "rssMiB" | "descriptors" | "threads" | "databaseMiB" | "walMiB" | "logMiB"

/** How much something may grow in an hour: so much, or that part of what it is, whichever is more. */
interface Limit {
  readonly measured: Measured
  readonly perHour: number
  readonly part: number
  /** It is full, or steady, so many minutes after the run began. */
  readonly warmUpMinutes: number
  /** Whether it needs files that are bounded: it grows until they are full. */
  readonly isBounded: boolean
}

/**
 * Memory and descriptors go up and down with what is under way; the files are of fixed size once what is kept for ten
 * minutes, and the logs that are put aside, have filled them.
 */
const limits: ReadonlyArray<Limit> = [
  { measured: "rssMiB", perHour: 48, part: 0.1, warmUpMinutes: 5, isBounded: false },
  { measured: "descriptors", perHour: 10, part: 0.1, warmUpMinutes: 5, isBounded: false },
  { measured: "threads", perHour: 1, part: 0, warmUpMinutes: 5, isBounded: false },
  { measured: "walMiB", perHour: 8, part: 0.1, warmUpMinutes: 5, isBounded: false },
  { measured: "databaseMiB", perHour: 8, part: 0.1, warmUpMinutes: 15, isBounded: true },
  { measured: "logMiB", perHour: 8, part: 0.1, warmUpMinutes: 15, isBounded: true }
]

/** How one of them went. */
export interface Trend {
  readonly measured: Measured
  /** The middle one of all values after the warm-up, and the largest of all. */
  readonly median: number
  readonly most: number
  /** Growth in an hour, and how much is allowed; `undefined` where there was too little time to tell. */
  readonly perHour: number | undefined
  readonly limit: number
  readonly isFlat: boolean
}

/** How long something must be looked at until its slope says anything. */
const leastMinutes = 10

/** `bounded`: whether the files have a size that they cannot exceed. */
export const trendsOf = (samples: ReadonlyArray<Sample>, bounded: boolean): ReadonlyArray<Trend> =>
  limits.map(({ isBounded, measured, part, perHour, warmUpMinutes }) => {
    const points = samples.map(({ at, values }): Point => [at / minuteMs, values[measured]])
    const warm = points.filter(([at]) => at >= warmUpMinutes)
    const lasts = (warm.at(-1)?.[0] ?? 0) - (warm[0]?.[0] ?? 0)
    const isJudged = lasts >= leastMinutes && (bounded || !isBounded)
    const typical = median((warm.length === 0 ? points : warm).map(([, value]) => value))
    const limit = Math.max(perHour, part * typical)
    const slope = isJudged ? 60 * slopeOf(warm) : undefined
    return {
      measured,
      median: typical,
      most: points.reduce((most, [, value]) => Math.max(most, value), 0),
      perHour: slope,
      limit,
      isFlat: slope === undefined || slope <= limit
    }
  })

type Point = readonly [x: number, y: number]

const minuteMs = 60_000

/**
 * The median of the slopes between all pairs of points (Theil and Sen): a third of the values may be anything. The points
 * are thinned first, each the median of those around it.
 */
const slopeOf = (points: ReadonlyArray<Point>): number => {
  const size = Math.max(1, Math.ceil(points.length / mostPoints))
  const thinned: Array<Point> = []
  for (let at = 0; at < points.length; at += size) {
    const some = points.slice(at, at + size)
    thinned.push([median(some.map(([x]) => x)), median(some.map(([, y]) => y))])
  }
  return median(
    thinned.flatMap(([x, y], index) =>
      thinned.slice(index + 1).flatMap(([later, value]) => (later > x ? [(value - y) / (later - x)] : []))
    )
  )
}

const mostPoints = 200

/** 0 of none. */
const median = (values: ReadonlyArray<number>): number => {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const upper = sorted[middle] ?? 0
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2
}
