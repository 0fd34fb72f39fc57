import { Clock, Effect } from "effect"
import { columnsToReconstruct, slotStart } from "../../domain/network/Chain.ts"
import { custodyColumns } from "../../domain/column/Custody.ts"
import type { DevBlock } from "../chain/DevBlock.ts"
import { seeded } from "../chain/Random.ts"
import { honest } from "./Honest.ts"
import type { Profile } from "./Profile.ts"
import { inSlots } from "./SlotTime.ts"

/**
 * Honest, and its columns come late: up to three slots after their block, and of every fourth block one column after
 * sixteen.
 */
export const lateColumns: Profile = {
  ...honest,
  depart: ({ stored }, { chain, custodyGroupCount, nodeId, random }) =>
    Effect.sync(() => {
      const { parameters } = chain
      const columns = custodyColumns(nodeId, custodyGroupCount)
      const seed = random.below(2 ** 32)
      const slotsLate = (slot: number, column: number): number => {
        const ofBlock = seeded(seed, "late", slot)
        const usual = ofBlock.below(4)
        return ofBlock.chance(0.25) && columns[ofBlock.below(columns.length)] === column ? mostSlotsLate : usual
      }
      return {
        stored: Effect.zipWith(stored, Clock.currentTimeMillis, (has, now) => (item, request) => {
          const age = (now - slotStart(parameters, item.block.slot)) / parameters.slotDurationMs
          const isThere = age >= mostSlotsLate || age >= slotsLate(item.block.slot, item.column)
          return isThere && has(item, request)
        })
      }
    })
}

const mostSlotsLate = 16

/**
 * Honest, as Teku is: the upper half of the columns is computed when somebody asks for it. It is left out of that response,
 * and there a slot later.
 */
export const onDemand: Profile = {
  ...honest,
  custodyGroupCount: () => 8,
  depart: ({ respond }, { chain }) =>
    Effect.sync(() => {
      const computedAt = new WeakMap<DevBlock, number>()
      return {
        respond: (response) =>
          Effect.gen(function* () {
            const now = yield* Clock.currentTimeMillis
            const later = yield* inSlots(chain, 1)
            const items = response.items.filter(({ block, column }) => {
              if (column < columnsToReconstruct) return true
              const at = computedAt.get(block) ?? later
              computedAt.set(block, at)
              return at <= now
            })
            yield* respond({ ...response, items })
          })
      }
    })
}

/**
 * Honest, as Lodestar is: a range is answered from the archive, which has what is older than three epochs or so, and roots
 * from the hot database, which has what is younger. Every 16 slots the edge moves by as much, and for two slots what moves
 * is in neither.
 */
export const archiveEdge: Profile = {
  ...honest,
  depart: ({ stored }, { chain }) =>
    Effect.succeed({
      stored: Effect.map(stored, (has) => (item, request) => {
        const { slot } = item.block
        const last = request.view.slot - 3 * chain.parameters.slotsPerEpoch
        const edge = last - (last % batchSlots)
        const isMoving = last - edge < movingSlots && slot >= edge - batchSlots
        const isFound = request.by === "range" ? slot < edge && !isMoving : slot >= edge
        return isFound && has(item, request)
      })
    })
}

const batchSlots = 16
const movingSlots = 2
