import { Effect } from "effect"
import { numberOfColumns } from "../domain/network/Chain.ts"
import { someColumns } from "./chain/PartialBlocks.ts"
import { DevnetError } from "./DevnetError.ts"

/** Reads `200:63,280:64`: of the block of slot 200 only 63 columns were published, which the seed chooses. */
export const parsePartialBlocks = (
  text: string,
  seed: number
): Effect.Effect<ReadonlyMap<number, ReadonlyArray<number>>, DevnetError> =>
  Effect.map(
    Effect.forEach(text.split(","), (part) => {
      const [, slot, count] = /^\s*([0-9]{1,9}):([0-9]{1,3})\s*$/.exec(part) ?? []
      return slot === undefined || Number(count) > numberOfColumns
        ? new DevnetError({ reason: `${JSON.stringify(part)} is not of the form slot:columns, such as 200:63` })
        : Effect.succeed([Number(slot), [...someColumns(seed, Number(slot), Number(count))]] as const)
    }),
    (entries) => new Map(entries)
  )
