import { Clock, Duration, Effect, Option, Schedule } from "effect"
import { type ChainParameters, slotAt, tolerableClockMs } from "../domain/network/Chain.ts"
import { daemon } from "../runtime/Daemon.ts"
import { Doubts } from "../runtime/Doubts.ts"
import type { ChainMemory } from "./ChainMemory.ts"

/** Whether everything that the chain can give was asked for once. */
export type HasPassed = () => boolean

/**
 * Doubts a head that does not follow the clock, a clock that does not follow the head, and a memory with holes; looks
 * every few seconds, until the scope closes.
 */
export const watchChain = Effect.fnUntraced(function* (
  chain: ChainParameters,
  memory: ChainMemory,
  hasPassed: HasPassed
) {
  const doubts = yield* Doubts
  let holedSince = Infinity
  const look = Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    if (memory.head() < 0) return
    const behind = slotAt(chain, now) - memory.head()
    yield* doubts.set(
      "head",
      Option.filter(Option.some(describeAge(behind)), () => behind > ageLimit(chain, memory))
    )
    const early = memory.head() - slotAt(chain, now + tolerableClockMs)
    yield* doubts.set(
      "clock",
      Option.filter(Option.some(describeEarly(-behind)), () => early > 0),
      "head"
    )

    const { oldest, unknown } = memory.extent()
    const wanted = memory.head() - (Option.getOrUndefined(oldest) ?? memory.window().start) + 1
    const isHoled = hasPassed() && unknown > Math.max(fewSlots, smallShare * wanted)
    holedSince = isHoled ? Math.min(holedSince, now) : Infinity
    const doubt = `the ground truth of ${unknown} of the last ${wanted} slots is unknown: the log says what the beacon node answers`
    yield* doubts.set(
      "commitments",
      Option.filter(Option.some(doubt), () => now - holedSince >= healingMs)
    )
  })
  yield* daemon("watching of the head", look, Schedule.spaced(interval))
})

const interval = Duration.seconds(2)
/** Slots without a new head that nobody needs to explain. */
const idleSlots = 4
/** Slots back from the head that tell how many are missed in a row. */
const recentSlots = 256
/** What a reorg puts in doubt is known again within that. */
const healingMs = 60_000
const fewSlots = 8
const smallShare = 0.02

/** Where slots are often missed, the head is often old: by the longest run lately, and some. */
const ageLimit = ({ slotsPerEpoch }: ChainParameters, memory: ChainMemory): number => {
  let run = 0
  let longest = 0
  for (let slot = memory.head(); slot > memory.head() - recentSlots; slot--) {
    run = memory.isKnown(slot) && memory.root(slot) === undefined ? run + 1 : 0
    longest = Math.max(longest, run)
  }
  return Math.min(idleSlots + longest, Math.max(idleSlots, slotsPerEpoch))
}

const describeAge = (slots: number): string =>
  `the head of the chain is ${slots} slots old: the beacon node does not follow the chain, or is not reached (ask its ` +
  "/eth/v1/node/syncing), or the clock of this machine is ahead"

const describeEarly = (slots: number): string =>
  `the head of the chain is ${slots} slots in the future of this machine's clock: set it (NTP), unless the beacon node ` +
  "says the genesis or the slot duration wrong"
