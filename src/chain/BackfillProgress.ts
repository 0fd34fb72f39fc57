import { Clock, Duration, Effect, Schedule } from "effect"
import type { BackfillState } from "../domain/network/BackfillState.ts"
import { daemon } from "../runtime/Daemon.ts"
import type { ChainMemory } from "./ChainMemory.ts"

export interface ProgressParts {
  readonly mode: BackfillState["mode"]
  readonly stage: () => BackfillState["stage"]
  /** Slots on disk. */
  readonly stored: () => number
}

/** How fast the memory fills, and what is left: looked at every few seconds, until the scope closes. */
export const makeBackfillProgress = Effect.fnUntraced(function* (memory: ChainMemory, parts: ProgressParts) {
  const samples: Array<{ readonly at: number; readonly known: number }> = []
  const sample = Effect.map(Clock.currentTimeMillis, (at) => {
    samples.push({ at, known: memory.countKnown() })
    if (samples.length > keptSamples) samples.shift()
  })
  yield* daemon("measuring of the backfill", sample, Schedule.spaced(sampleInterval))
  return Effect.map(Clock.currentTimeMillis, (now): BackfillState => {
    const { end, start } = memory.window()
    const known = memory.countKnown()
    const left = Math.max(0, end - start + 1 - known)
    const [first] = samples
    const seconds = first === undefined ? 0 : (now - first.at) / 1000
    const pace = first === undefined || seconds <= 0 ? 0 : Math.max(0, known - first.known) / seconds
    const stage = parts.stage()
    const isUnderWay = stage === "restoring" || stage === "filling"
    return {
      mode: parts.mode,
      stage,
      slotsPerSecond: Math.round(pace * 10) / 10,
      secondsLeft: isUnderWay && pace > 0 ? Math.round(left / pace) : null,
      stored: parts.stored()
    }
  })
})

const sampleInterval = Duration.seconds(5)
/** A minute. */
const keptSamples = 12
