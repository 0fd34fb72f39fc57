import { Clock, Duration, Effect } from "effect"
import type { DevChain } from "../chain/DevChain.ts"

/** What a profile does takes slots, so that a fast devnet shows it as soon as a slow one. */
export const slots = ({ parameters }: DevChain, count: number): Duration.Duration =>
  Duration.millis(count * parameters.slotDurationMs)

/** The moment in Unix milliseconds that is `count` slots away. */
export const inSlots = (chain: DevChain, count: number): Effect.Effect<number> =>
  Effect.map(Clock.currentTimeMillis, (now) => now + count * chain.parameters.slotDurationMs)
