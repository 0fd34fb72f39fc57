import type { BlockArrivals } from "../../domain/arrival/BlockArrivals.ts"
import { fromHex, toHex } from "../../domain/Bytes.ts"
import { dayName, dayOf } from "../../domain/Day.ts"
import type { Arrivals, ArrivalsBy, ArrivalsOptions, SlotArrivals } from "../../domain/report/ArrivalQuestion.ts"
import { type ArrivalChange, arrivalChanges } from "../store/ArrivalSums.ts"
import type { MemoryArrivals } from "../store/MemoryArrivals.ts"
import { rootBytes } from "../store/sqlite/ArrivalRows.ts"
import { summariseArrivals } from "./ArrivalSummary.ts"
import { periodOf } from "./ReportRows.ts"

/** The same answers as those of a history on disk, of the blocks that are kept in memory. */
export const arrivalsIn = (memory: MemoryArrivals, options: typeof ArrivalsOptions.Type): typeof Arrivals.Type => {
  const { by, limit } = options
  const [since, until] = periodOf(options)
  const changes = memory
    .blocks()
    .filter(({ startsAt }) => dayOf(startsAt) >= since && dayOf(startsAt) <= until)
    .flatMap((block) =>
      arrivalChanges([], neverAsked, block).map((change) => ({ ...change, group: groupOf(by, block, change) }))
    )
  return summariseArrivals(
    changes.filter(({ client }) => client !== undefined),
    by === "arrival-client"
      ? undefined
      : changes
          .filter(({ blocks }) => blocks > 0)
          .map(({ blocks, group, missed }) => ({ group, expected: blocks, missed })),
    limit
  )
}

export const slotArrivalsIn = (memory: MemoryArrivals, slot: number): SlotArrivals =>
  memory
    .blocks()
    .filter((block) => block.slot === slot)
    .map(({ blobs, blockRoot, columns }) => ({
      rootPrefix: toHex(fromHex(blockRoot).subarray(0, rootBytes)),
      blobs,
      columns: columns.map(({ arrival, ...entry }) => {
        if (arrival === null) return { ...entry, arrival }
        const { peer, ...rest } = arrival
        return { ...entry, arrival: { ...rest, ...peer } }
      })
    }))

/** Of what was not known before nobody is asked. */
const neverAsked = () => "unknown" as const

const groupOf = (by: ArrivalsBy, { startsAt }: BlockArrivals, { client, column }: ArrivalChange): string | number => {
  switch (by) {
    case "arrival":
      return column
    case "arrival-day":
      return dayName(dayOf(startsAt))
    case "arrival-client":
      return client ?? "unknown"
  }
}
