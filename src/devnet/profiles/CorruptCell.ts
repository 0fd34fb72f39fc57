import { Effect } from "effect"
import { honest } from "./Honest.ts"
import type { Profile } from "./Profile.ts"

/** Flips a bit in a cell of every sidecar. The field element stays below the modulus: only the KZG proof tells. */
export const corruptCell: Profile = {
  ...honest,
  depart: ({ sidecar }) =>
    Effect.succeed({
      sidecar: (item) => {
        const sound = sidecar(item)
        const row = (item.block.slot + item.column) % sound.column.length
        return { ...sound, column: sound.column.map((cell, index) => (index === row ? flipped(cell) : cell)) }
      }
    })
}

/** With another last byte of its last field element. */
const flipped = (cell: Uint8Array): Uint8Array => cell.with(cell.length - 1, (cell.at(-1) ?? 0) ^ 1)
