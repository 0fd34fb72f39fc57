import { Effect } from "effect"
import { numberOfColumns } from "../../domain/network/Chain.ts"
import { hasSidecars } from "../chain/DevBlock.ts"
import { honest } from "./Honest.ts"
import type { Profile } from "./Profile.ts"

/** Adds sound sidecars that nobody asked for: a column more of the first block, and the same columns of a later one. */
export const unrequested: Profile = {
  ...honest,
  depart: () =>
    Effect.succeed({
      select: (items, { blocks, columns, state }) => {
        const first = items[0]
        if (first === undefined) return items
        const asked = new Set(blocks.map((block) => block.root))
        const extra = Array.from({ length: numberOfColumns }, (_, column) => column).find(
          (column) => !columns.includes(column)
        )
        const later = [...state.canonical.values()]
          .filter((block) => hasSidecars(block) && block.slot > first.block.slot && !asked.has(block.root))
          .sort((a, b) => a.slot - b.slot)[0]
        const ofFirst = items.filter((item) => item.block === first.block)
        return [
          ...ofFirst,
          ...(extra === undefined ? [] : [{ block: first.block, column: extra }]),
          ...items.slice(ofFirst.length),
          ...(later === undefined ? [] : ofFirst.map(({ column }) => ({ block: later, column })))
        ]
      }
    })
}
